//! Locks with a session to themselves.

use super::Server;
use crate::answer::meaning;
use crate::{Error, Key, Lock, Named};
use dlock_core::OwnedGuard;
use dlock_locks::{AloneDriver, Mode, Opened};
use mysql_async::Conn;

impl AloneDriver for Server {
    type Lock = Named<Conn>;
    type Number = ();

    /// The session is the driver's own, with what the options run on a new connection.
    async fn alone(&self, name: &str, key: Key, _mode: Mode) -> Result<Opened<Self>, Error> {
        let conn = Conn::new(self.lasting(name)).await.map_err(meaning)?;
        Ok((Lock::new(conn, key)?, ()))
    }

    async fn abort(&self, guard: OwnedGuard<Named<Conn>>, _number: ()) -> Result<(), Error> {
        guard.abort().await.map_err(|failure| failure.error)
    }
}
