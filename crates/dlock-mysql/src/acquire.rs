use crate::answer::{Answer, closed, failed, ran_out};
use crate::cancel::Waiter;
use crate::conn::spoil;
use crate::granted::Granted;
use crate::texts::{LONGEST, Texts};
use crate::{AsConn, Error};
use dlock_core::{Deadline, Gone, Outcome, Trip, Wait};
use std::sync::Arc;
use std::time::Duration;

/// The round trip that acquires: more than one only for waits above 49 days.
#[derive(Debug)]
pub(crate) struct Acquire {
    texts: Arc<Texts>,
    wait: Wait,
    granted: Granted,
    longest: Duration,
}

impl Acquire {
    pub(crate) fn new(texts: Arc<Texts>, wait: Wait, granted: Granted) -> Self {
        Self { texts, wait, granted, longest: Duration::from_millis(LONGEST) }
    }
}

impl<S: AsConn> Trip<S> for Acquire {
    type Error = mysql_async::Error;

    async fn run(self, session: &mut S, gone: Gone) -> Outcome<mysql_async::Error> {
        let outcome = self.queue_up(session, gone).await;
        self.granted.set(matches!(outcome.answer, Ok(true)));
        if !outcome.usable {
            spoil(session);
        }
        outcome
    }
}

impl Acquire {
    async fn queue_up<S: AsConn>(
        &self,
        session: &mut S,
        mut gone: Gone,
    ) -> Outcome<mysql_async::Error> {
        let deadline = Deadline::new(self.wait);
        loop {
            let (slice, last) = deadline.slice(self.longest);
            let statement = self.texts.acquire(slice);
            let Some(answer) = ask(session, &statement, &mut gone).await else {
                return closed();
            };
            match read(answer) {
                Outcome { answer: Ok(false), .. } if !last => {}
                outcome => return outcome,
            }
        }
    }
}

/// Asks, and waits for the answer. When nobody waits for it any more, ends the wait on the server
/// first; `None` when that cannot be done.
async fn ask<S: AsConn>(session: &mut S, statement: &str, gone: &mut Gone) -> Option<Answer> {
    if session.conn().is_disconnected() {
        return None;
    }
    let waiter = Waiter::new(session.conn(), statement);
    let mut answer = session.query_first(statement);
    tokio::select! {
        biased;
        answer = &mut answer => Some(answer),
        // Rare and large.
        () = gone.fired() => Box::pin(waiter.end(answer)).await,
    }
}

fn read(answer: Answer) -> Outcome<mysql_async::Error> {
    let answer = match answer {
        Ok(Some(Some(1))) => Ok(true),
        Ok(Some(Some(0))) => Ok(false),
        Ok(Some(Some(-1))) => Err(Error::AlreadyHeld),
        // MariaDB says no more than this after KILL QUERY.
        Ok(Some(None)) => Err(Error::Interrupted(None)),
        Ok(_) => return closed(),
        Err(error) if ran_out(&error) => Ok(false),
        Err(error) => return failed(error),
    };
    Outcome { answer, usable: true }
}

#[cfg(test)]
mod tests {
    use super::Acquire;
    use crate::granted::Granted;
    use crate::texts::Texts;
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
        let slices = Acquire::new(Arc::new(Texts::new(&key)), wait, Granted::default());
        session.run(Acquire { longest: Duration::from_millis(40), ..slices }).await
    }
}
