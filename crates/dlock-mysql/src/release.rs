use crate::AsConn;
use crate::answer::{Answer, closed, failed, is_alive};
use crate::claim::Claim;
use crate::conn::spoil;
use dlock_core::{Gone, Landed, Outcome, Trip};
use std::borrow::BorrowMut;
use std::sync::Arc;

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Arc<Claim>);

impl<S: AsConn> Trip<S> for Release {
    type Error = mysql_async::Error;

    async fn run<P>(self, mut place: P, _gone: Gone) -> Landed<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let session = place.borrow_mut();
        if session.conn().is_disconnected() {
            return closed().with(place);
        }
        if !self.0.is_granted() {
            return (Some(place), Ok(false));
        }
        self.0.set_granted(false);
        let (statement, prepared) = (self.0.release(), &self.0.prepared);
        let answer = match prepared.ask(session, statement).await {
            Err(error) if self.is_open(&error) => prepared.ask(session, statement).await,
            answer => answer,
        };
        let outcome = self.read(answer);
        if outcome.answer.is_err() {
            spoil(session);
        }
        outcome.with(place)
    }
}

impl Release {
    /// Whether an error leaves it open if the key was freed, so that only a second answer tells.
    /// RELEASE_LOCK itself never fails. This is a KILL QUERY, which may have come before or after it, or
    /// the late error of a statement of the caller's; or it was not prepared, and not run.
    fn is_open(&self, error: &mysql_async::Error) -> bool {
        self.0.prepared.was_refused(error) || is_alive(error)
    }

    /// 0 says another's, NULL nobody's. What else a number says is about the session.
    fn read(&self, answer: Answer) -> Outcome<mysql_async::Error> {
        let number = match answer {
            Ok(Some(number)) => number.unwrap_or(0),
            Ok(None) => return closed(),
            Err(error) => return Outcome { usable: false, ..failed(error) },
        };
        self.0.set_known(self.0.known().after_release(number));
        Outcome { answer: Ok(number > 0), usable: true }
    }
}
