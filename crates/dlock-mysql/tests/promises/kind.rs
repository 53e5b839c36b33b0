//! The kinds of session that a lock can be made over.

use dlock_core::Wait;
use dlock_mysql::mysql_async::{Conn, Connection, Opts, Pool, PoolOpts, Transaction, TxOpts};
use dlock_mysql::{Lock, Place};
use std::future::Future;

/// Makes sessions of one kind.
pub(crate) trait Kind: Send + Sync + 'static {
    /// The session.
    type Session: Place<Conn: Send + Sync, Exclusive: Send + Sync> + Send + Sync + 'static;

    /// A session of its own.
    fn session(opts: Opts) -> impl Future<Output = Self::Session> + Send;

    /// A lock over one.
    fn lock(opts: Opts, key: &str) -> impl Future<Output = Lock<Self::Session>> + Send {
        async move { Lock::new(Self::session(opts).await, key).unwrap() }
    }
}

async fn connect(opts: Opts) -> Conn {
    Conn::new(opts).await.unwrap()
}

/// Lent for as long as the process lives.
async fn lend(opts: Opts) -> &'static mut Conn {
    Box::leak(Box::new(connect(opts).await))
}

/// A connection that the lock owns.
pub(crate) struct Owned;

impl Kind for Owned {
    type Session = Conn;

    async fn session(opts: Opts) -> Conn {
        connect(opts).await
    }
}

/// The same, by a lock that has been used: by the third time it says less to a session that it knows.
pub(crate) struct Used;

impl Kind for Used {
    type Session = Conn;

    async fn session(opts: Opts) -> Conn {
        connect(opts).await
    }

    async fn lock(opts: Opts, key: &str) -> Lock {
        used(Lock::new(connect(opts).await, key).unwrap()).await
    }
}

/// The same, with the statements of a wait for ever prepared.
pub(crate) struct Prepared;

impl Kind for Prepared {
    type Session = Conn;

    async fn session(opts: Opts) -> Conn {
        connect(opts).await
    }

    async fn lock(opts: Opts, key: &str) -> Lock {
        let mut lock = used(Lock::new(connect(opts).await, key).unwrap().prepared()).await;
        if lock.acquire(Wait::No).await.unwrap() {
            lock.release().await.unwrap();
            for _ in 0..2 {
                lock.lock().await.unwrap().release().await.unwrap();
            }
        }
        lock
    }
}

/// Used twice, where it is free.
async fn used(mut lock: Lock) -> Lock {
    for _ in 0..2 {
        if lock.acquire(Wait::No).await.unwrap() {
            lock.release().await.unwrap();
        }
    }
    lock
}

/// A connection of a pool that does not reset what comes back to it.
pub(crate) struct Pooled;

impl Kind for Pooled {
    type Session = Conn;

    async fn session(opts: Opts) -> Conn {
        let keep = PoolOpts::new().with_reset_connection(false);
        let opts = dlock_mysql::mysql_async::OptsBuilder::from_opts(opts).pool_opts(keep);
        Pool::new(opts).get_conn().await.unwrap()
    }
}

/// A lent connection.
pub(crate) struct LentConn;

impl Kind for LentConn {
    type Session = &'static mut Conn;

    async fn session(opts: Opts) -> Self::Session {
        lend(opts).await
    }
}

/// A lent transaction.
pub(crate) struct LentTransaction;

impl Kind for LentTransaction {
    type Session = &'static mut Transaction<'static>;

    async fn session(opts: Opts) -> Self::Session {
        let transaction = lend(opts).await.start_transaction(TxOpts::new()).await.unwrap();
        Box::leak(Box::new(transaction))
    }
}

/// A lent connection of the driver's other name for one.
pub(crate) struct LentConnection;

impl Kind for LentConnection {
    type Session = &'static mut Connection<'static, 'static>;

    async fn session(opts: Opts) -> Self::Session {
        Box::leak(Box::new(Connection::from(connect(opts).await)))
    }
}
