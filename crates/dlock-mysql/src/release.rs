use crate::AsConn;
use crate::answer::{Answer, closed, failed, is_alive};
use crate::claim::Claim;
use crate::unread::Unread;
use dlock_core::{Cancelled, Exchange, Reply, Returned};
use std::borrow::BorrowMut;
use std::sync::Arc;

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Arc<Claim>);

impl<S: AsConn> Exchange<S> for Release {
    type Error = mysql_async::Error;

    const RELEASES: bool = true;

    async fn run<P>(self, place: P, _gone: Cancelled) -> Returned<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let mut unread = Unread::new(place);
        let session = unread.session();
        if session.conn().is_disconnected() {
            return unread.land(closed());
        }
        if !self.0.is_granted() {
            return unread.land(Reply { answer: Ok(false), usable: true });
        }
        self.0.set_granted(false);
        let statement = self.0.release();
        let mut answer = self.0.ask(session, statement).await;
        if matches!(&answer, Err(error) if self.0.was_refused(error)) {
            answer = self.0.ask(session, statement).await;
        }
        // RELEASE_LOCK itself never fails. This is a KILL QUERY, which may have come before or after it,
        // or the late error of a statement of the caller's: only a second answer tells.
        if matches!(&answer, Err(error) if is_alive(error)) {
            answer = self.0.ask(session, statement).await;
        }
        unread.land(self.read(answer))
    }
}

impl Release {
    /// 0 says another's, NULL nobody's. What else a number says is about the session.
    fn read(&self, answer: Answer) -> Reply<mysql_async::Error> {
        let number = match answer {
            Ok(Some(number)) => number.unwrap_or(0),
            Ok(None) => return closed(),
            Err(error) => return Reply { usable: false, ..failed(error) },
        };
        self.0.set_known(self.0.known().after_release(number));
        Reply { answer: Ok(number > 0), usable: true }
    }
}
