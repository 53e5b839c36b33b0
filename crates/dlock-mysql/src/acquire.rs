use crate::answer::{Answer, Reply, ask, closed, failed, ran_out};
use crate::claim::{Claim, Say};
use crate::session::{Unanswered, connect};
use crate::statement::kill_query;
use crate::{AsConn, Error};
use dlock_core::{Cancelled, Deadline, Exchange, Returned, Wait, sleep};
use futures::future::{BoxFuture, Either};
use futures::{FutureExt, TryFutureExt};
use mysql_async::prelude::Queryable;
use std::borrow::BorrowMut;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long a killed statement may take to answer before it is killed again.
const AGAIN: Duration = Duration::from_millis(5);

pub(crate) const OLD: &str = "use MySQL from 5.7.5 or MariaDB from 10.0.2 on (the server, or a proxy before it, says \
                   it is older): a session of an older one frees its first named lock with the second";

const CHANGING: &str = "connect to the server without the proxy between, or have it keep to one session: \
                        this connection's statements run in several, and a named lock lives in one";

/// The round trip that acquires: more than one only where the key is held and the session may have been the
/// caller's, for waits above 24 days, and once behind a proxy that gives out numbers of its own.
#[derive(Debug)]
pub(crate) struct Acquire {
    pub(crate) claim: Arc<Claim>,
    pub(crate) wait: Wait,
    /// The longest wait of one statement.
    pub(crate) longest: Duration,
}

impl<S: AsConn> Exchange<S> for Acquire {
    type Error = mysql_async::Error;

    async fn run<P>(self, mut place: P, cancelled: Cancelled) -> Returned<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let mut asked = Unanswered { session: place.borrow_mut(), is_answered: false };
        let reply = self.acquire(asked.session, cancelled).await;
        asked.is_answered = reply.usable;
        drop(asked);
        reply.with(place)
    }
}

impl Acquire {
    async fn acquire<S: AsConn>(self, session: &mut S, cancelled: Cancelled) -> Reply {
        if session.conn().is_disconnected() {
            return closed();
        }
        if !self.claim.is_supported {
            return setup(OLD);
        }
        self.acquire_in_slices(session, &cancelled).await
    }

    async fn acquire_in_slices<S: AsConn>(self, session: &mut S, cancelled: &Cancelled) -> Reply {
        let deadline = Deadline::new(self.wait);
        loop {
            let (slice, last) = deadline.slice(self.longest);
            let said = self.claim.say(session.conn(), slice);
            let waits = matches!(said, Say::Acquire { waits: true, .. });
            let last = last && (waits || slice == Wait::No);
            let end = if last { deadline } else { Deadline::new(slice) };
            let mut answer = say(session, &said, &self.claim);
            let answer = tokio::select! {
                biased;
                answer = &mut answer => Some(answer),
                () = cancelled.cancelled(), if waits => cancel(&self.claim, answer).await,
            };
            match told(answer.as_ref()) {
                Some(id) if self.claim.facts().learn(id) => continue,
                Some(_) => return setup(CHANGING),
                None => {}
            }
            let reply = read(answer, &end);
            if !self.claim.facts().keep(&reply, last) || cancelled.is_cancelled() {
                return reply;
            }
        }
    }
}

fn say<'a, S: AsConn>(
    session: &'a mut S,
    said: &'a Say,
    claim: &'a Claim,
) -> impl Future<Output = Answer> + Unpin + use<'a, S> {
    match said {
        Say::Attempt(text) => Either::Left(attempt(session, text, claim)),
        Say::Acquire { text, is_prepared, .. } => Either::Right(ask(session, text, *is_prepared)),
    }
}

/// Asks over a session that somebody else may have had, and keeps in mind which server answers.
fn attempt<'a, S: AsConn>(
    session: &'a mut S,
    text: &'a str,
    claim: &'a Claim,
) -> impl Future<Output = Answer> + Unpin + use<'a, S> {
    session.query_first(text).map_ok(|row: Option<(Option<i64>, Option<String>)>| {
        let (number, server) = row?;
        claim.facts().server = server.unwrap_or_default();
        Some(number)
    })
}

/// The number of the connection, where the answer tells that it is another one than was thought.
fn told(answer: Option<&Answer>) -> Option<u64> {
    match answer {
        Some(Ok(Some(Some(number)))) if *number > 1 => Some(number.unsigned_abs() - 2),
        _ => None,
    }
}

/// What the answer to a wait means that was to end then; `None`: there is none.
pub(crate) fn read(answer: Option<Answer>, end: &Deadline) -> Reply {
    let answer = match answer {
        Some(Ok(Some(Some(1)))) => Ok(true),
        Some(Ok(Some(Some(-1)))) => Err(Error::AlreadyHeld.into()),
        Some(Ok(Some(Some(_)))) => Ok(false),
        // MariaDB says no more than this after KILL QUERY, and where the statement's time is over.
        Some(Ok(Some(None))) if end.is_over() => Ok(false),
        Some(Ok(Some(None))) => Err(Error::Interrupted(None).into()),
        Some(Err(error)) if ran_out(&error, end) => Ok(false),
        Some(Err(error)) => return failed(error),
        Some(Ok(None)) | None => return closed(),
    };
    Reply { answer, usable: true }
}

/// Ends the wait and brings its answer; `None` when the server cannot be told.
///
/// Rare and large: in a box, and never inlined, it takes no room where a wait is polled.
#[inline(never)]
fn cancel<'a>(
    claim: &'a Claim,
    mut answer: impl Future<Output = Answer> + Send + Unpin + 'a,
) -> BoxFuture<'a, Option<Answer>> {
    async move {
        let (mut conn, id) = tokio::select! {
            biased;
            answer = &mut answer => return Some(answer),
            connected = connect(claim) => connected.ok()?,
        };
        let kill = kill_query(id?);
        loop {
            // Once it is sent it is waited for, first of all: it may not come upon a later statement. One
            // that came before the wait had begun did nothing.
            conn.query_drop(&kill).await.ok()?;
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = sleep(AGAIN) => {}
            }
        }
    }
    .boxed()
}

fn setup(advice: &'static str) -> Reply {
    Reply { answer: Err(Error::Setup { advice, source: None }.into()), usable: true }
}

#[cfg(test)]
mod tests {
    use super::{Acquire, read};
    use crate::answer::Reply;
    use crate::claim::Claim;
    use crate::{ByKilling, Error, Key, Place};
    use dlock_core::{Deadline, Exclusive, Wait};
    use dlock_testkit::server::{Engine, Maria, Mysql, Server};
    use mysql_async::Conn;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    #[test]
    fn null_is_a_time_out_once_the_time_is_over() {
        let [over, not] = [Duration::from_nanos(1), Duration::from_secs(60)].map(|limit| {
            let deadline = Deadline::new(Wait::For(limit));
            std::thread::sleep(Duration::from_nanos(1));
            read(Some(Ok(Some(None))), &deadline)
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

    type Session = (<Conn as Place>::Exclusive, Arc<Claim>);

    async fn session<E: Engine>() -> Session {
        let conn = Conn::from_url(Server::<E>::shared().unwrap().url()).await.unwrap();
        let claim = Arc::new(Claim::new(&conn, &Key::from(std::process::id())));
        (conn.hold(ByKilling(Arc::clone(&claim))), claim)
    }

    /// In slices of 40 ms.
    async fn acquire((session, claim): &mut Session, wait: Wait) -> Result<bool, Error> {
        let (claim, longest) = (Arc::clone(claim), Duration::from_millis(40));
        session.run(Acquire { claim, wait, longest }).await
    }
}
