use crate::answer::{Reply, ask, closed, failed, is_alive, is_not_there};
use crate::claim::{Claim, Held};
use crate::session::{Unanswered, connect, poison};
use crate::statement;
use crate::{AsConn, Error};
use dlock_core::{Cancelled, End, Exchange, Returned, sleep, within};
use futures::FutureExt;
use mysql_async::Conn;
use mysql_async::prelude::Queryable;
use std::borrow::BorrowMut;
use std::sync::Arc;
use std::time::Duration;

/// How long ending a session may take before it is tried anew.
const LIMIT: Duration = Duration::from_secs(4);

/// How soon it is looked again whether a session is gone, at first and at last.
const AGAIN: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release(pub(crate) Arc<Claim>);

impl<S: AsConn> Exchange<S> for Release {
    type Error = mysql_async::Error;

    const RELEASES: bool = true;

    async fn run<P>(self, mut place: P, _: Cancelled) -> Returned<P, mysql_async::Error>
    where
        P: BorrowMut<S> + Send,
    {
        let mut asked = Unanswered { session: place.borrow_mut(), is_answered: false };
        let is_held = self.0.facts().held == Held::Yes;
        let reply = match (is_held, asked.session.conn().is_disconnected()) {
            (true, false) => self.release(asked.session).await,
            (true, true) => self.end().boxed().await,
            (false, false) => Reply { answer: Ok(false), usable: true },
            (false, true) => closed(),
        };
        asked.is_answered = reply.usable;
        drop(asked);
        reply.with(place)
    }
}

impl Release {
    async fn release<S: AsConn>(&self, session: &mut S) -> Reply {
        let (statement, is_prepared) = (self.0.statements.release(), self.0.facts().release());
        let mut answer = ask(session, statement, is_prepared).await;
        // RELEASE_LOCK itself never fails. This is a KILL QUERY, which may have come before or after it,
        // or the late error of a statement of the caller's, or it was not prepared: only a second answer
        // tells.
        if matches!(&answer, Err(error) if is_alive(error)) {
            answer = ask(session, statement, false).await;
        }
        // 0 says another's, NULL nobody's.
        let was_held = match answer {
            Ok(Some(number)) => number == Some(1),
            Ok(None) => return closed(),
            Err(error) => return Reply { usable: false, ..failed(error) },
        };
        self.0.facts().released(was_held);
        Reply { answer: Ok(was_held), usable: true }
    }

    /// A statement of the caller's was dropped, and may still run: the connection can be used no more, the
    /// server holds the key. Where the session cannot be ended, both stays so.
    async fn end(&self) -> Reply {
        let ended = end(&self.0).await;
        self.0.facts().is_stuck = ended.is_err();
        Reply { usable: ended.is_err(), answer: ended.map_err(Box::new) }
    }
}

/// Ends an owned session by `KILL` from a second connection, made with the same
/// [`Opts`](mysql_async::Opts): a server does not look at a closed socket while a statement runs.
#[derive(Clone, Debug)]
pub struct ByKilling(pub(crate) Arc<Claim>);

impl End<Conn> for ByKilling {
    type Error = mysql_async::Error;

    async fn end(&self, session: Option<Conn>) -> Result<(), Error> {
        if let Some(mut conn) = session {
            poison(&mut conn);
        }
        if self.0.facts().held == Held::No {
            return Ok(());
        }
        end(&self.0).await.map(drop)
    }
}

/// Ends the session of a lock, and answers once the server has let go. Whether it held the key.
async fn end(claim: &Claim) -> Result<bool, Error> {
    let was_held = match within(LIMIT, kill(claim)).await {
        Some(killed) => killed.map_err(|error| Error::Interrupted(Some(error)))?,
        None => return Err(Error::Interrupted(None)),
    };
    claim.facts().held = Held::No;
    Ok(was_held)
}

/// Kills it until the server knows it no more.
async fn kill(claim: &Claim) -> mysql_async::Result<bool> {
    let (mut conn, id) = connect(claim).await?;
    let holder: Option<Option<u64>> = conn.query_first(claim.statements.holder()).await?;
    let is_held = holder.flatten() == Some(claim.facts().id);
    let Some(id) = id else {
        // It waits for nothing, and its connection is closed: if it is the holder, not for long.
        let unclear = "the key is held, perhaps by the session that was lost";
        return if is_held { Err(mysql_async::Error::Other(unclear.into())) } else { Ok(false) };
    };
    kill_until_gone(&mut conn, id).await?;
    Ok(is_held)
}

/// Kills a session until the server knows it no more.
pub(crate) async fn kill_until_gone(conn: &mut Conn, id: u64) -> mysql_async::Result<()> {
    let mut pause = AGAIN.0;
    loop {
        match conn.query_drop(statement::kill(id)).await {
            Ok(()) => sleep(pause).await,
            Err(error) if is_not_there(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        pause = AGAIN.1.min(pause * 2);
    }
}
