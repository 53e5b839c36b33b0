use crate::answer::{Answer, closed, failed, ran_out};
use crate::cancel::Waiter;
use crate::conn::spoil;
use crate::granted::Granted;
use crate::{AsConn, Error};
use dlock_core::{Deadline, Gone, Outcome, Trip, Wait};
use std::sync::Arc;
use std::time::Duration;

/// The longest `MAX_EXECUTION_TIME` that MySQL takes, in milliseconds: a good 49 days.
const LONGEST: u64 = 4_294_967_295;

/// The round trip that acquires: more than one only for waits above 49 days.
#[derive(Debug)]
pub(crate) struct Acquire {
    /// The key as a literal.
    name: Arc<str>,
    wait: Wait,
    granted: Granted,
    longest: Duration,
}

impl Acquire {
    pub(crate) fn new(name: Arc<str>, wait: Wait, granted: Granted) -> Self {
        Self { name, wait, granted, longest: Duration::from_millis(LONGEST) }
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
            let statement = statement(&self.name, slice);
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

/// One statement for every wait and both servers, with one `GET_LOCK` and nothing after it.
///
/// `/*M!` is a comment to MySQL, `/*+` one to MariaDB. MySQL waits in whole seconds, which it rounds,
/// so its wait ends by `MAX_EXECUTION_TIME` (milliseconds, a literal) before those are over; MariaDB
/// waits for fractions of a second as they are. Both texts lift the session's own limit on statements.
fn statement(name: &str, wait: Wait) -> String {
    let (limit, seconds, exact) = match wait.limit().map(Wait::millis) {
        Some(0) => (LONGEST, 0, "0".to_owned()),
        millis => {
            let millis = millis.unwrap_or(LONGEST);
            (millis, millis / 1000 + 2, format!("{}.{:03}", millis / 1000, millis % 1000))
        }
    };
    format!(
        "/*M!100101 SET STATEMENT max_statement_time=0 FOR */ \
         SELECT /*+ MAX_EXECUTION_TIME({limit}) */ IF(IS_USED_LOCK({name})=CONNECTION_ID(),-1,\
         GET_LOCK({name},{seconds}/*M!100101 *0+{exact}*/))"
    )
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
        () = gone.fired() => waiter.end(answer).await,
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
    use super::{Acquire, LONGEST, statement};
    use crate::granted::Granted;
    use crate::key::literal;
    use crate::{Error, Key};
    use dlock_core::{Hold, Moving, Wait};
    use dlock_testkit::server::{Engine, Maria, Mysql, Server};
    use mysql_async::Conn;
    use std::time::{Duration, Instant};

    fn text(wait: Wait) -> String {
        statement(&literal(&Key::from(1)), wait)
    }

    #[test]
    fn durations_round_up() {
        let text = text(Wait::For(Duration::from_nanos(1_499_000_001)));
        assert!(text.contains("MAX_EXECUTION_TIME(1500)"), "{text}");
        assert!(text.ends_with(",3/*M!100101 *0+1.500*/))"), "{text}");
    }

    #[test]
    fn no_wait_is_zero_seconds_and_no_limit() {
        let text = text(Wait::No);
        assert!(text.contains("MAX_EXECUTION_TIME(4294967295)"), "{text}");
        assert!(text.ends_with(",0/*M!100101 *0+0*/))"), "{text}");
    }

    #[test]
    fn the_longest_slice_fits() {
        let text = text(Wait::For(Duration::from_millis(LONGEST)));
        assert!(text.ends_with(",4294969/*M!100101 *0+4294967.295*/))"), "{text}");
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

    async fn session<E: Engine>() -> Moving<Conn, mysql_async::Error> {
        Moving::new(Conn::from_url(Server::<E>::shared().unwrap().url()).await.unwrap())
    }

    /// In slices of 40 ms.
    async fn acquire(
        session: &mut Moving<Conn, mysql_async::Error>,
        wait: Wait,
    ) -> Result<bool, Error> {
        let key = Key::from(std::process::id());
        let slices = Acquire::new(literal(&key), wait, Granted::default());
        session.run(Acquire { longest: Duration::from_millis(40), ..slices }).await
    }
}
