use crate::claim::Claim;
use crate::statement::{UPTIME, identify};
use crate::{ByKilling, Lock, Mysql};
use dlock_core::{BorrowedSession, Exclusive, OwnedSession, Session};
use futures::FutureExt;
use futures::future::ready;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Connection, Opts, OptsBuilder, Result, Transaction};
use std::borrow::BorrowMut;
use std::time::Instant;

/// A connection, or what stands for one: always the same session, whose settings and locks change by
/// nothing but the statements that it is given. A lock remembers what it has seen there.
pub trait AsConn: Queryable {
    /// The connection.
    fn conn(&self) -> &Conn;
}

impl AsConn for Conn {
    fn conn(&self) -> &Conn {
        self
    }
}

impl AsConn for Transaction<'_> {
    fn conn(&self) -> &Conn {
        self
    }
}

impl AsConn for Connection<'_, '_> {
    fn conn(&self) -> &Conn {
        self
    }
}

/// A session that a lock can be made over: an owned [`Conn`], or anything lent that is a connection.
pub trait Place: Sized + BorrowMut<Self::Conn> {
    /// The session as the lock lends it.
    type Conn: AsConn;
    /// How the lock keeps it.
    type Exclusive: Exclusive<Session = Self::Conn, Error = mysql_async::Error>;

    /// Hands it to a lock, with what ends it.
    fn hold(self, end: ByKilling) -> Self::Exclusive;
}

impl Place for Conn {
    type Conn = Conn;
    type Exclusive = OwnedSession<Conn, ByKilling>;

    fn hold(self, end: ByKilling) -> Self::Exclusive {
        OwnedSession::new(self, end)
    }
}

impl<'a, S: AsConn> Place for &'a mut S {
    type Conn = S;
    type Exclusive = BorrowedSession<'a, S, mysql_async::Error>;

    fn hold(self, _end: ByKilling) -> Self::Exclusive {
        BorrowedSession::new(self)
    }
}

impl Session<Mysql> for Conn {
    type Lock = Lock<Self>;
}

impl Session<Mysql> for &mut Conn {
    type Lock = Lock<Self>;
}

impl Session<Mysql> for &mut Transaction<'_> {
    type Lock = Lock<Self>;
}

impl Session<Mysql> for &mut Connection<'_, '_> {
    type Lock = Lock<Self>;
}

/// A session with an answer to come: it is poisoned if it is dropped before that.
#[derive(Debug)]
pub(crate) struct Unanswered<'a, S: AsConn> {
    pub(crate) session: &'a mut S,
    pub(crate) is_answered: bool,
}

impl<S: AsConn> Drop for Unanswered<'_, S> {
    fn drop(&mut self) {
        if !self.is_answered {
            poison(self.session);
        }
    }
}

/// Makes sure that a connection is closed when it is dropped, even if a pool would keep it.
///
/// The driver counts a connection as lost from the first poll of a command until its answer is read, and
/// pools discard it then: nothing is sent here. Where a command begins with something of the driver's own (a
/// rollback, the rest of a result), the answer to that ends the count, so it is begun anew. That sends a
/// ping, which would keep a waiter in its queue: so no wait is begun behind such things.
pub(crate) fn poison<S: AsConn>(session: &mut S) {
    // An answer that is there at once makes the connection whole again.
    while !session.conn().is_disconnected() {
        drop(session.ping().now_or_never());
    }
}

/// A second connection for a lock.
pub(crate) async fn connect(claim: &Claim) -> Result<(Conn, Option<u64>)> {
    let (opts, id, server) = {
        let facts = claim.facts();
        (facts.opts.clone(), facts.is_proven.then_some(facts.id), facts.server.clone())
    };
    reconnect(opts, claim.since, id, &server).await
}

/// A second connection, made as the first one was: the same address and user, and nothing beyond. With it
/// comes the session's number, where the server has said it, is the same (what it said begins with who it is),
/// and still counts on: one that has been up for less time than the session has given it to another.
pub(crate) async fn reconnect(
    opts: Opts,
    since: Instant,
    id: Option<u64>,
    server: &str,
) -> Result<(Conn, Option<u64>)> {
    let opts = plain(opts).db_name(None::<String>).max_allowed_packet(Some(1 << 20));
    let mut conn = Conn::new(opts).await?;
    let uptime: Option<(String, u64)> = conn.query_first(UPTIME).await?;
    let age = since.elapsed().as_secs();
    let counts_on = uptime.is_none_or(|(_, seconds)| seconds + 1 >= age);
    let identity: Option<String> = conn.query_first(identify()).await?;
    let more = identity.and_then(|identity| server.strip_prefix(&*identity));
    let is_same = more.is_some_and(|more| more.is_empty() || more.starts_with(" since "));
    Ok((conn, id.filter(|_| counts_on && is_same)))
}

/// The same server, user and database: no look at settings, no statements of the caller's, no other socket
/// than the one that was asked for.
pub(crate) fn plain(opts: Opts) -> OptsBuilder {
    OptsBuilder::from_opts(opts)
        .prefer_socket(false)
        .after_connect(|_| ready(Ok(())).boxed())
        .init(Vec::<String>::new())
        .setup(Vec::<String>::new())
        .wait_timeout(Some(60))
}
