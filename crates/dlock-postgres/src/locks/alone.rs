//! Locks with a session to themselves.

use super::{Server, ServerError, inspect, pooler};
use crate::answer::Native;
use crate::{Advisory, Key, Lock};
use dlock_core::{Error, OwnedGuard};
use dlock_locks::{AloneDriver, Mode, Opened};
use tokio_postgres::Client;

impl AloneDriver for Server {
    type Lock = Advisory<Client>;
    type Number = inspect::Process;

    async fn alone(&self, name: &str, key: Key, mode: Mode) -> Result<Opened<Self>, ServerError> {
        let (client, connection) = self.lasting(name).await?;
        tokio::spawn(async move {
            // What it ends with, the next statement tells.
            let _ = connection.await;
        });
        let process = inspect::Process::of(&client).await?;
        pooler::refuse(self, &client, process.pid()).await?;
        let lock = Lock::new(client, key).map_err(|_| ServerError::Answer)?;
        let lock = if mode == Mode::Shared { lock.shared() } else { lock };
        Ok((lock, process))
    }

    /// A server does not look at a closed socket while a statement runs: another session ends this one.
    async fn abort(
        &self,
        guard: OwnedGuard<Advisory<Client>>,
        process: inspect::Process,
    ) -> Result<(), Error<Native>> {
        let ended = self.end_process(&process).await;
        drop(guard);
        ended.map_err(native)
    }
}

impl Server {
    async fn end_process(&self, process: &inspect::Process) -> Result<(), ServerError> {
        let (client, connection) = self.plain("dlock").await?;
        let connection = tokio::spawn(connection);
        let ended = process.end(&client).await;
        drop(client);
        // What it ends with is nobody's business.
        let _ = connection.await;
        ended.map(drop)
    }
}

fn native(error: ServerError) -> Error<Native> {
    match error {
        ServerError::Native(error) | ServerError::Setup { source: Some(error), .. } => {
            Error::Driver(error)
        }
        _ => Error::Interrupted(None),
    }
}
