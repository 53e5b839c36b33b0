//! What a lock tells `tracing`: one span around each call, one event at its end, at debug level.
//!
//! Names with `db.` are OpenTelemetry's:
//! <https://opentelemetry.io/docs/specs/semconv/database/database-spans/>.

use crate::{Error, RawLock, Wait};
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;
use tracing::{Instrument, Span, debug, debug_span, field};

/// A span around one call on a lock.
pub(crate) fn call<R: RawLock>(raw: &R, operation: &'static str, wait: Option<Wait>) -> Span {
    debug_span!(
        "dlock",
        db.system.name = R::SYSTEM,
        db.operation.name = operation,
        dlock.key = %raw.key(),
        dlock.mode = ?raw.mode(),
        dlock.wait = wait.map(field::debug),
    )
}

/// Runs the call inside its span, and says how it ended and after how many milliseconds.
pub(crate) async fn traced<T: Outcome, E>(
    span: Span,
    call: Pin<&mut impl Future<Output = Result<T, Error<E>>>>,
) -> Result<T, Error<E>> {
    if span.is_disabled() {
        return call.await;
    }
    let start = Instant::now();
    let answer = call.instrument(span.clone()).await;
    let waited = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let outcome = answer.as_ref().map_or_else(Error::kind, Outcome::outcome);
    span.in_scope(|| debug!(dlock.outcome = outcome, dlock.waited_ms = waited));
    answer
}

/// How a call that did not fail ended.
pub(crate) trait Outcome {
    fn outcome(&self) -> &'static str;
}

impl Outcome for bool {
    fn outcome(&self) -> &'static str {
        if *self { "granted" } else { "timed_out" }
    }
}

impl Outcome for () {
    fn outcome(&self) -> &'static str {
        "released"
    }
}
