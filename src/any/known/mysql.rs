use super::{fences, make};
use crate::any::alone::Lending;
use crate::any::key::Given;
use crate::any::native::{FromGiven, key_of};
use crate::any::server::{AnyServer, Kind};
use crate::any::{AnyConnection, AnyError, AnyKey};
use dlock_core::{KeyError, SessionRef};
use dlock_locks::{FencedConnection, Mode};
use dlock_mysql::mysql_async::{Conn, Transaction};
use dlock_mysql::{Key, Server};
use std::time::Duration;

const KIND: Kind =
    Kind { name: "MySQL", modes: &[Mode::Exclusive], setup: Some(fences::setup::<Server>) };

pub(super) fn server(url: &str) -> Result<AnyServer, AnyError> {
    make::server::<Server>(url, KIND)
}

impl Lending for Server {
    fn lend(session: SessionRef<'_, Self::Lock>) -> AnyConnection<'_> {
        AnyConnection::Mysql(session)
    }
}

impl FromGiven for Key {
    fn from_given(given: Given) -> Result<Self, KeyError> {
        make::key(given, Key::hashed)
    }
}

impl FencedConnection<AnyServer> for Conn {
    type Transaction<'c> = Transaction<'c>;

    async fn begin<'c>(
        &'c mut self,
        key: &AnyKey,
        token: u64,
        idle: Duration,
    ) -> Result<Option<Transaction<'c>>, AnyError> {
        let key = key_of::<Server>(key).ok_or_else(|| AnyError::another("MySQL or MariaDB"))?;
        let begun = FencedConnection::<Server>::begin(self, key, token, idle);
        begun.await.map_err(AnyError::native)
    }
}
