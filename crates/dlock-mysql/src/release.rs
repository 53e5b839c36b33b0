use crate::AsConn;
use crate::answer::{Answer, closed, failed, is_alive};
use crate::conn::spoil;
use crate::granted::Granted;
use crate::texts::Texts;
use dlock_core::{Gone, Outcome, Trip};
use std::sync::Arc;

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) texts: Arc<Texts>,
    pub(crate) granted: Granted,
}

impl<S: AsConn> Trip<S> for Release {
    type Error = mysql_async::Error;

    async fn run(self, session: &mut S, _gone: Gone) -> Outcome<mysql_async::Error> {
        if session.conn().is_disconnected() {
            return closed();
        }
        if !self.granted.get() {
            return Outcome { answer: Ok(false), usable: true };
        }
        self.granted.set(false);
        let outcome = released(self.ask(session).await);
        if outcome.answer.is_err() {
            spoil(session);
        }
        outcome
    }
}

impl Release {
    async fn ask<S: AsConn>(&self, session: &mut S) -> Answer {
        let statement = self.texts.release();
        match session.query_first(statement).await {
            // RELEASE_LOCK itself never fails. This is a KILL QUERY, which may have come before or after
            // it, or the late error of a statement of the caller's: only a second one tells.
            Err(error) if is_alive(&error) => session.query_first(statement).await,
            answer => answer,
        }
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
