use crate::queue::Answer;
use crate::table::Reply;
use crate::{Ended, Error, Session};
use dlock_core::Wait;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A wait in the queue. Dropping it leaves the queue; what was granted before stays held.
struct Waiting<'a> {
    session: &'a Session,
    key: &'a str,
    ticket: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Waiting<'_> {
    async fn end(mut self, wait: Wait) -> Result<bool, Error> {
        let Some(limit) = wait.limit() else {
            return told((&mut self.answer).await.ok());
        };
        match timeout(limit, &mut self.answer).await {
            Ok(answer) => told(answer.ok()),
            Err(_) if self.session.withdraw(self.key, self.ticket) => Ok(false),
            // It was answered at the last moment.
            Err(_) => told(self.answer.try_recv().ok()),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.session.withdraw(self.key, self.ticket);
    }
}

fn told(answer: Option<Answer>) -> Result<bool, Error> {
    match answer {
        Some(Answer::Granted) => Ok(true),
        Some(Answer::Ended) | None => Err(Error::Interrupted(Some(Ended))),
    }
}

/// What comes of a request, after the wait where there is one.
pub(crate) async fn outcome(
    session: &Session,
    key: &str,
    wait: Wait,
    reply: Reply,
) -> Result<bool, Error> {
    match reply {
        Reply::Granted => Ok(true),
        Reply::Refused => Ok(false),
        Reply::Queued { ticket, answer } => {
            Waiting { session, key, ticket, answer }.end(wait).await
        }
        Reply::AlreadyHeld => Err(Error::AlreadyHeld),
        Reply::Deadlock => Err(Error::Deadlock(None)),
        Reply::Ended => Err(Error::Driver(Ended)),
    }
}
