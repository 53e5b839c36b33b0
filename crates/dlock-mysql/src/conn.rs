use crate::{Key, Lock, Mysql, Named};
use dlock_core::{BorrowedSession, ByDropping, Exclusive, OwnedSession, RawNew, Session};
use futures::FutureExt;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Connection, Transaction};

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
pub trait Place: Sized {
    /// The session as the lock lends it.
    type Conn: AsConn;
    /// How the lock keeps it.
    type Exclusive: Exclusive<Session = Self::Conn, Error = mysql_async::Error>;

    /// Hands it to a lock.
    fn hold(self) -> Self::Exclusive;
}

impl Place for Conn {
    type Conn = Conn;
    type Exclusive = OwnedSession<Conn, ByDropping<mysql_async::Error>>;

    fn hold(self) -> Self::Exclusive {
        OwnedSession::new(self, ByDropping::default())
    }
}

impl<'a, S: AsConn> Place for &'a mut S {
    type Conn = S;
    type Exclusive = BorrowedSession<'a, S, mysql_async::Error>;

    fn hold(self) -> Self::Exclusive {
        BorrowedSession::new(self)
    }
}

impl Session<Mysql> for Conn {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = mysql_async::Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(Named::new(self, key))
    }
}

impl Session<Mysql> for &mut Conn {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = mysql_async::Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(Named::new(self, key))
    }
}

impl Session<Mysql> for &mut Transaction<'_> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = mysql_async::Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(Named::new(self, key))
    }
}

impl Session<Mysql> for &mut Connection<'_, '_> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = mysql_async::Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(Named::new(self, key))
    }
}

/// Makes sure that the connection is closed when it is dropped, even if a pool would keep it.
///
/// The driver counts a connection as lost from the first poll of a command until its answer is read, and
/// pools discard it then. But where a command begins with one of the driver's own (a rollback, the rest of a
/// result), the answer to that ends the count.
pub(crate) fn spoil<S: AsConn>(session: &mut S) {
    // An answer that is there at once makes the connection whole again.
    while !session.conn().is_disconnected() {
        drop(session.ping().now_or_never());
    }
}
