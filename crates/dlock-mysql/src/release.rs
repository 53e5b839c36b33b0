use crate::AsConn;
use crate::answer::{Answer, ask, closed, failed, is_alive};
use crate::claim::Claim;
use crate::conn::spoil;
use dlock_core::{Gone, Outcome, Trip};
use std::sync::Arc;

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Arc<Claim>);

impl<S: AsConn> Trip<S> for Release {
    type Error = mysql_async::Error;

    async fn run(self, session: &mut S, _gone: Gone) -> Outcome<mysql_async::Error> {
        if session.conn().is_disconnected() {
            return closed();
        }
        if !self.0.is_granted() {
            return Outcome { answer: Ok(false), usable: true };
        }
        self.0.set_granted(false);
        let statement = self.0.texts.release();
        let outcome = match ask(session, statement).await {
            // RELEASE_LOCK itself never fails. This is a KILL QUERY, which may have come before or after
            // it, or the late error of a statement of the caller's: only a second one tells.
            Err(error) if is_alive(&error) => released(ask(session, statement).await),
            answer => released(answer),
        };
        if outcome.answer.is_err() {
            spoil(session);
        }
        outcome
    }
}

/// 0 says another's, NULL nobody's.
fn released(answer: Answer) -> Outcome<mysql_async::Error> {
    match answer {
        Ok(Some(number)) => Outcome { answer: Ok(number == Some(1)), usable: true },
        Ok(None) => closed(),
        Err(error) => Outcome { usable: false, ..failed(error) },
    }
}
