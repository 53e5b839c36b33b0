//! Locks that have a session to themselves: the crate's own lock, over a connection that it owns.

use super::caller::apart;
use super::{Server, statement};
use crate::{Error, Key, Lock, User, answer, explain};
use dlock_core::OwnedGuard;
use dlock_locks::{AloneDriver, Mode, Opened};
use oracle::Connection;

impl AloneDriver for Server {
    type Lock = User<Connection>;
    type Number = ();

    async fn alone(&self, name: &str, key: Key, mode: Mode) -> Result<Opened<Self>, Error> {
        let (server, name) = (self.clone(), name.to_owned());
        let opened = apart(move || {
            let connection = server.connect()?;
            let (role, _) = statement::begin(&connection, &name)?;
            Ok((connection, role))
        });
        let (connection, role) = opened.await?.map_err(explain)?;
        answer::primary(role)?;
        Ok((Lock::new(connection, key)?.with_mode(mode.into()), ()))
    }

    async fn abort(&self, guard: OwnedGuard<User<Connection>>, (): ()) -> Result<(), Error> {
        guard.abort().await.map_err(|failure| failure.error)
    }
}
