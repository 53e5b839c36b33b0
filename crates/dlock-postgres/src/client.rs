use crate::advisory::Advisory;
use crate::xact::Xact;
use crate::{Key, Lock, Postgres, XactLock};
use std::fmt;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{Client, Connection, Transaction};

/// A session that lets us speak to the server by `&Client`.
pub trait AsClient: Send {
    /// The client.
    fn client(&self) -> &Client;
}

impl AsClient for &Client {
    fn client(&self) -> &Client {
        self
    }
}

impl AsClient for Arc<Client> {
    fn client(&self) -> &Client {
        self
    }
}

impl AsClient for Client {
    fn client(&self) -> &Client {
        self
    }
}

/// Both halves of a session: the client, and the connection that drives it.
///
/// The connection runs in a task of its own and ends when this is dropped.
pub struct Session {
    client: Client,
}

impl Session {
    /// Owns both halves of what `Config::connect` gave.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn new<S, T>(client: Client, connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        // Its error is told by the statement that meets it.
        tokio::spawn(connection);
        Self { client }
    }
}

impl AsClient for Session {
    fn client(&self) -> &Client {
        &self.client
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("closed", &self.client.is_closed()).finish()
    }
}

impl dlock_core::Session<Postgres> for Client {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = tokio_postgres::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for Arc<Client> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = tokio_postgres::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for &Client {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = tokio_postgres::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for Session {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = tokio_postgres::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl<'a> dlock_core::Session<Postgres> for &'a Transaction<'a> {
    type Lock = XactLock<'a>;
    type Key = Key;
    type Error = tokio_postgres::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        XactLock::from_raw(Xact::of(self, key))
    }
}
