//! What a lock tells `tracing`: one span around each call, one event at its end, at debug level.
//!
//! Where no subscriber listens at that level nothing is made, so its feature `log` has nothing to tell.
//!
//! Names with `db.` are OpenTelemetry's:
//! <https://opentelemetry.io/docs/specs/semconv/database/database-spans/>.

use crate::{Error, RawLock, Wait};
use std::time::Instant;
use tracing::level_filters::LevelFilter;
use tracing::span::Entered;
use tracing::{Span, debug, debug_span, field};

/// A call on a lock, as `tracing` hears of it.
pub(crate) struct Call {
    span: Span,
    begun: Instant,
}

impl Call {
    /// `None` where nobody listens.
    pub(crate) fn begin<R: RawLock>(
        raw: &R,
        operation: &'static str,
        wait: Option<Wait>,
    ) -> Option<Self> {
        if LevelFilter::current() < LevelFilter::DEBUG {
            return None;
        }
        let span = span(raw, operation, wait);
        (!span.is_disabled()).then(|| Self { span, begun: Instant::now() })
    }

    /// Inside its span, while this lives.
    pub(crate) fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Says how it ended, and after how many milliseconds.
    pub(crate) fn end<T: Outcome, E>(&self, answer: &Result<T, Box<Error<E>>>) {
        let waited = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let outcome = answer.as_ref().map_or_else(|error| error.kind(), Outcome::outcome);
        self.span.in_scope(|| debug!(dlock.outcome = outcome, dlock.waited_ms = waited));
    }
}

fn span<R: RawLock>(raw: &R, operation: &'static str, wait: Option<Wait>) -> Span {
    debug_span!(
        "dlock",
        db.system.name = R::SYSTEM,
        db.operation.name = operation,
        dlock.key = %raw.key(),
        dlock.mode = ?raw.mode(),
        dlock.wait = wait.map(field::debug),
    )
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
