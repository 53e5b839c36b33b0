use crate::answer::{Answer, closed, failed, ran_out};
use crate::cancel::Waiter;
use crate::claim::Claim;
use crate::known::Known;
use crate::texts::LONGEST;
use crate::unread::Unread;
use crate::{AsConn, Error};
use dlock_core::{Cancelled, Deadline, Exchange, Reply, Returned, Wait};
use futures::FutureExt;
use std::borrow::BorrowMut;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The round trip that acquires: more than one only for waits above 24 days.
#[derive(Debug)]
pub(crate) struct Acquire {
    claim: Arc<Claim>,
    wait: Wait,
    longest: Duration,
}

impl Acquire {
    pub(crate) fn new(claim: Arc<Claim>, wait: Wait) -> Self {
        Self { claim, wait, longest: Duration::from_millis(LONGEST) }
    }
}

impl<S: AsConn> Exchange<S> for Acquire {
    type Error = mysql_async::Error;

    async fn run<P>(self, place: P, cancelled: Cancelled) -> Returned<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let mut unread = Unread::new(place);
        let session = unread.session();
        if session.conn().is_disconnected() {
            return unread.land(closed());
        }
        let mut deadline = Deadline::new(self.wait);
        let outcome = loop {
            let (slice, end, last) = self.slice(deadline);
            let statement = self.claim.acquire(slice);
            let waiter = Waiter::new(session.conn(), &statement);
            let mut answer = self.claim.ask(session, &statement);
            let heard = poll_fn(|context| hear(answer.poll_unpin(context), &cancelled)).await;
            let answer = if heard.is_none() { waiter.end(answer).await } else { heard };
            let outcome = answer.map_or_else(closed, |answer| read(answer, &end));
            if !self.goes_on(&outcome, &mut deadline, last, &cancelled) {
                break outcome;
            }
        };
        self.keep(&outcome);
        unread.land(outcome)
    }
}

impl Acquire {
    /// The wait of the next statement, its end, and whether it is the last one.
    fn slice(&self, deadline: Deadline) -> (Wait, Deadline, bool) {
        let (slice, last) = deadline.slice(self.longest);
        (slice, if last { deadline } else { Deadline::new(slice) }, last)
    }

    /// Whether another statement is to be sent: for the next slice, or as a text.
    fn goes_on(
        &self,
        outcome: &Reply<mysql_async::Error>,
        deadline: &mut Deadline,
        last: bool,
        cancelled: &Cancelled,
    ) -> bool {
        match &outcome.answer {
            Ok(is_granted) => !is_granted && !last,
            Err(error) if self.was_refused(error) && !cancelled.is_cancelled() => {
                // The wait has not begun.
                *deadline = Deadline::new(self.wait);
                true
            }
            Err(_) => false,
        }
    }

    fn was_refused(&self, error: &Error) -> bool {
        matches!(error, Error::Driver(error) if self.claim.was_refused(error))
    }

    /// Keeps in mind what the server has granted.
    fn keep(&self, outcome: &Reply<mysql_async::Error>) {
        self.claim.set_granted(matches!(outcome.answer, Ok(true)));
        match outcome.answer {
            Ok(true) => self.claim.set_known(self.claim.known().after_grant()),
            Ok(false) => {}
            Err(_) => self.claim.set_known(Known::Nothing),
        }
    }
}

/// `None`: there is no answer, and nobody waits for it any more, so the wait is to be ended first.
fn hear(answer: Poll<Answer>, cancelled: &Cancelled) -> Poll<Option<Answer>> {
    match answer {
        Poll::Pending if cancelled.is_cancelled() => Poll::Ready(None),
        heard => heard.map(Some),
    }
}

fn read(answer: Answer, end: &Deadline) -> Reply<mysql_async::Error> {
    let answer = match answer {
        Ok(Some(Some(1))) => Ok(true),
        Ok(Some(Some(0))) => Ok(false),
        Ok(Some(Some(-1))) => Err(Error::AlreadyHeld.into()),
        // MariaDB says no more than this after KILL QUERY, and where the statement's time is over: from
        // 12.0 on it heeds the hint, which then comes before its own wait has ended.
        Ok(Some(None)) if end.is_over() => Ok(false),
        Ok(Some(None)) => Err(Error::Interrupted(None).into()),
        Ok(_) => return closed(),
        Err(error) if ran_out(&error, end) => Ok(false),
        Err(error) => return failed(error),
    };
    Reply { answer, usable: true }
}

#[cfg(test)]
mod tests {
    use super::{Acquire, read};
    use crate::claim::Claim;
    use crate::{Error, Key};
    use dlock_core::{ByDropping, Deadline, Exclusive, OwnedSession, Reply, Wait};
    use dlock_testkit::server::{Engine, Maria, Mysql, Server};
    use mysql_async::Conn;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn null_is_a_time_out_once_the_time_is_over() {
        let [over, not] = [Duration::from_nanos(1), Duration::from_secs(60)].map(|limit| {
            let deadline = Deadline::new(Wait::For(limit));
            std::thread::sleep(Duration::from_nanos(1));
            read(Ok(Some(None)), &deadline)
        });
        assert!(matches!(over, Reply { answer: Ok(false), usable: true }), "{over:?}");
        let Reply { answer: Err(error), usable: true } = not else { panic!("{not:?}") };
        assert!(matches!(*error, Error::Interrupted(None)), "{error:?}");
    }

    #[tokio::test]
    async fn mysql_waits_on_after_a_slice() {
        waits_in_slices::<Mysql>().await;
    }

    #[tokio::test]
    async fn mariadb_waits_on_after_a_slice() {
        waits_in_slices::<Maria>().await;
    }

    async fn waits_in_slices<E: Engine>() {
        let mut holder = session::<E>().await;
        assert!(acquire(&mut holder, Wait::No).await.unwrap());
        let (mut waiter, start) = (session::<E>().await, Instant::now());
        assert!(!acquire(&mut waiter, Wait::For(Duration::from_millis(130))).await.unwrap());
        assert!(start.elapsed() >= Duration::from_millis(130), "{:?}", start.elapsed());
        let release = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            drop(holder);
        };
        let (granted, ()) = tokio::join!(acquire(&mut waiter, Wait::Forever), release);
        assert!(granted.unwrap());
    }

    async fn session<E: Engine>() -> OwnedSession<Conn, ByDropping<mysql_async::Error>> {
        OwnedSession::new(
            Conn::from_url(Server::<E>::shared().unwrap().url()).await.unwrap(),
            ByDropping::default(),
        )
    }

    /// In slices of 40 ms.
    async fn acquire(
        session: &mut OwnedSession<Conn, ByDropping<mysql_async::Error>>,
        wait: Wait,
    ) -> Result<bool, Error> {
        let key = Key::from(std::process::id());
        let slices = Acquire::new(Arc::new(Claim::new(&key)), wait);
        session.run(Acquire { longest: Duration::from_millis(40), ..slices }).await
    }
}
