use crate::locks::kill::{ENDING, kill};
use crate::locks::session::Look;
use crate::locks::{Server, ServerError, Wire};
use crate::{App, Error, HasClient, Key, Lock, Mode, OwnedGuard, statement};
use dlock_core::RawNew;
use dlock_locks::AloneDriver;
use tiberius::Client;
use tokio::time::timeout;

const KILL: &str =
    "the session could not be ended; grant ALTER ANY CONNECTION to the login, which KILL needs";

/// A client whose connection is watched for its end.
#[derive(Debug)]
pub struct Watched {
    client: Client<Wire>,
    wire: Wire,
}

impl HasClient for Watched {
    type Stream = Wire;
    const GIVEN_BACK: bool = false;

    fn client(&mut self) -> &mut Client<Wire> {
        &mut self.client
    }

    fn is_ended(&self) -> bool {
        self.wire.is_over()
    }
}

/// What ends a session.
#[derive(Debug)]
pub struct Process {
    /// Its number, which counts on its server alone.
    number: i32,
    server: String,
    wire: Wire,
}

impl Process {
    /// Kills it, over a connection that may have reached another server. Its own connection is seen to its end,
    /// since not every login may see whether a session is there.
    async fn end(&self, client: &mut Client<Wire>) -> Result<(), ServerError> {
        let look = Look::of(client.simple_query(statement::LOOK).await?.into_row().await?)?;
        if look.server != self.server {
            return Err(ServerError::NotEnded);
        }
        // The number of a session that is over may be another's by now.
        if !self.wire.is_over() {
            kill(client, self.number).await?;
        }
        match self.wire.ended().await {
            true => Ok(()),
            false => Err(ServerError::NotEnded),
        }
    }
}

impl AloneDriver for Server {
    type Lock = App<Watched>;
    type Number = Process;

    async fn alone(
        &self,
        name: &str,
        key: Key,
        mode: dlock_locks::Mode,
    ) -> Result<(Lock<Watched>, Process), ServerError> {
        let (mut client, wire) = self.dial(name).await?;
        let look = Look::of(client.simple_query(statement::LOOK).await?.into_row().await?)?;
        if look.is_read_only {
            return Err(ServerError::ReadOnly);
        }
        let process = Process { number: look.number, server: look.server, wire: wire.clone() };
        let lock = Lock::from_raw(App::new(Watched { client, wire }, key));
        let lock = match Mode::from(mode) {
            Mode::Exclusive => lock,
            Mode::Shared => lock.shared(),
            Mode::Update => lock.update(),
        };
        Ok((lock, process))
    }

    /// Closing the connection would be noticed only when what runs on it is over.
    async fn abort(&self, guard: OwnedGuard<Watched>, process: Process) -> Result<(), Error> {
        let ended = async {
            let (mut client, _) = self.dial("dlock abort").await?;
            process.end(&mut client).await
        };
        let ended = timeout(ENDING * 2, ended).await.unwrap_or(Err(ServerError::NotEnded));
        drop(guard);
        ended.map_err(|error| match error {
            ServerError::Native(error) => Error::Setup { advice: KILL, source: Some(error) },
            _ => Error::Interrupted(None),
        })
    }
}
