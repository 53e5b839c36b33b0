use crate::answer::{Answer, ask, closed, failed, ran_out};
use crate::cancel::Waiter;
use crate::claim::Claim;
use crate::conn::spoil;
use crate::texts::LONGEST;
use crate::{AsConn, Error};
use dlock_core::{Deadline, Gone, Landed, Outcome, Trip, Wait};
use futures_util::FutureExt;
use std::borrow::BorrowMut;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// The round trip that acquires: more than one only for waits above 49 days.
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

impl<S: AsConn> Trip<S> for Acquire {
    type Error = mysql_async::Error;

    async fn run<P>(self, mut place: P, gone: Gone) -> Landed<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let session = place.borrow_mut();
        if session.conn().is_disconnected() {
            return closed().with(place);
        }
        let deadline = Deadline::new(self.wait);
        let outcome = loop {
            let (slice, last) = deadline.slice(self.longest);
            let statement = self.claim.texts.acquire(slice);
            let waiter = Waiter::new(session.conn(), &statement);
            let mut answer = ask(session, &statement);
            let outcome = match poll_fn(|context| hear(answer.poll_unpin(context), &gone)).await {
                Some(outcome) => outcome,
                None => waiter.end(answer).await.map_or_else(closed, read),
            };
            if last || !matches!(outcome.answer, Ok(false)) {
                break outcome;
            }
        };
        self.keep(session, &outcome);
        outcome.with(place)
    }
}

impl Acquire {
    /// Keeps in mind what the server has granted.
    fn keep<S: AsConn>(&self, session: &mut S, outcome: &Outcome<mysql_async::Error>) {
        self.claim.set_granted(matches!(outcome.answer, Ok(true)));
        if !outcome.usable {
            spoil(session);
        }
    }
}

/// `None`: there is no answer, and nobody waits for it any more, so the wait is to be ended first.
fn hear(answer: Poll<Answer>, gone: &Gone) -> Poll<Option<Outcome<mysql_async::Error>>> {
    match answer {
        Poll::Pending if gone.has_fired() => Poll::Ready(None),
        heard => heard.map(|answer| Some(read(answer))),
    }
}

fn read(answer: Answer) -> Outcome<mysql_async::Error> {
    let answer = match answer {
        Ok(Some(Some(1))) => Ok(true),
        Ok(Some(Some(0))) => Ok(false),
        Ok(Some(Some(-1))) => Err(Error::AlreadyHeld.into()),
        // MariaDB says no more than this after KILL QUERY.
        Ok(Some(None)) => Err(Error::Interrupted(None).into()),
        Ok(_) => return closed(),
        Err(error) if ran_out(&error) => Ok(false),
        Err(error) => return failed(error),
    };
    Outcome { answer, usable: true }
}

#[cfg(test)]
mod tests {
    use super::Acquire;
    use crate::claim::Claim;
    use crate::{Error, Key};
    use dlock_core::{Hold, Moving, Wait};
    use dlock_testkit::server::{Engine, Maria, Mysql, Server};
    use mysql_async::Conn;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

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

    async fn session<E: Engine>() -> Moving<Conn, mysql_async::Error> {
        Moving::new(Conn::from_url(Server::<E>::shared().unwrap().url()).await.unwrap())
    }

    /// In slices of 40 ms.
    async fn acquire(
        session: &mut Moving<Conn, mysql_async::Error>,
        wait: Wait,
    ) -> Result<bool, Error> {
        let key = Key::from(std::process::id());
        let slices = Acquire::new(Arc::new(Claim::new(&key)), wait);
        session.run(Acquire { longest: Duration::from_millis(40), ..slices }).await
    }
}
