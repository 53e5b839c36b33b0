use crate::advisory::Advisory;
use crate::xact::Xact;
use crate::{Key, Lock, Postgres, Session, XactLock};
use std::sync::Arc;
use tokio_postgres::{Client, Transaction};

/// A session that lets us speak to the server by `&Client`.
pub trait AsClient: Send {
    /// The client.
    fn client(&self) -> &Client;

    /// The session whose connection we drive ourselves.
    #[doc(hidden)]
    fn own(&self) -> Option<&Session> {
        None
    }
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
