use super::{fences, make};
use crate::any::alone::Lending;
use crate::any::key::Given;
use crate::any::native::{FromGiven, key_of};
use crate::any::server::{AnyServer, Kind};
use crate::any::{AnyConnection, AnyError, AnyKey};
use dlock_core::{KeyError, SessionRef};
use dlock_locks::{FencedConnection, Mode};
use dlock_postgres::tokio_postgres::{Client, Transaction};
use dlock_postgres::{Key, Server};
use std::time::Duration;

const KIND: Kind = Kind {
    name: "PostgreSQL",
    modes: &[Mode::Exclusive, Mode::Shared],
    setup: Some(fences::setup::<Server>),
};

pub(super) fn server(url: &str) -> Result<AnyServer, AnyError> {
    make::server::<Server>(url, KIND)
}

impl Lending for Server {
    fn lend(session: SessionRef<'_, Self::Lock>) -> AnyConnection<'_> {
        AnyConnection::Postgres(session)
    }
}

impl FromGiven for Key {
    fn from_given(given: Given) -> Result<Self, KeyError> {
        match given {
            Given::Pair(one, two) => Ok((one, two).into()),
            given => make::key(given, Key::hashed),
        }
    }
}

impl FencedConnection<AnyServer> for Client {
    type Transaction<'c> = Transaction<'c>;

    async fn begin<'c>(
        &'c mut self,
        key: &AnyKey,
        token: u64,
        idle: Duration,
    ) -> Result<Option<Transaction<'c>>, AnyError> {
        let key = key_of::<Server>(key).ok_or_else(|| AnyError::another("PostgreSQL"))?;
        let begun = FencedConnection::<Server>::begin(self, key, token, idle);
        begun.await.map_err(AnyError::native)
    }
}
