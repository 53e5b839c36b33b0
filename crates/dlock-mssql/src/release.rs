use crate::answer::{code, released};
use crate::request::{InFlight, Subject};
use crate::session::HasClient;
use crate::statement::{RELEASE, RELEASE_DOUBTFUL};
use dlock_core::{Cancelled, Exchange, Returned};
use std::borrow::BorrowMut;
use std::sync::Arc;
use tiberius::error::Error as Native;

/// The round trip that releases what was granted, as often as it was.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Arc<Subject>);

impl<S: HasClient> Exchange<S> for Release {
    type Error = Native;

    const RELEASES: bool = true;

    async fn run<P>(self, place: P, _: Cancelled) -> Returned<P, Native>
    where
        P: BorrowMut<S> + Send,
    {
        let known = self.0.known();
        let mut call = InFlight::new(place, self.0, false);
        if known.holds_nothing() {
            return call.answered(Ok(true));
        }
        let mut answer = match known.asked {
            true => call.ask(RELEASE_DOUBTFUL, &[&known.database]).await,
            false => Ok((code::ELSEWHERE, 0)),
        };
        // What is certain.
        if let Ok((code::ELSEWHERE, _)) = answer {
            answer = call.ask(RELEASE, &[&known.database, &known.grants]).await;
        }
        match answer {
            Ok((code, _)) => call.answered(released(code)),
            Err(error) => call.failed(error),
        }
    }
}
