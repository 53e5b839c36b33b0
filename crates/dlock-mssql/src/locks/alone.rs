use crate::locks::kill::kill;
use crate::locks::session::Look;
use crate::locks::{Server, ServerError, Wire};
use crate::{App, Error, HasClient, Key, Lock, Mode, OwnedGuard, statement};
use dlock_core::RawNew;
use dlock_locks::AloneDriver;
use tiberius::Client;

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

impl AloneDriver for Server {
    type Lock = App<Watched>;
    /// The session's number.
    type Number = i32;

    async fn alone(
        &self,
        name: &str,
        key: Key,
        mode: dlock_locks::Mode,
    ) -> Result<(Lock<Watched>, i32), ServerError> {
        let (mut client, wire) = self.dial(name).await?;
        let look = Look::of(client.simple_query(statement::LOOK).await?.into_row().await?)?;
        if look.is_read_only {
            return Err(ServerError::ReadOnly);
        }
        let lock = Lock::from_raw(App::new(Watched { client, wire }, key));
        let lock = match Mode::from(mode) {
            Mode::Exclusive => lock,
            Mode::Shared => lock.shared(),
            Mode::Update => lock.update(),
        };
        Ok((lock, look.number))
    }

    /// Closing the connection would be noticed only when what runs on it is over.
    async fn abort(&self, guard: OwnedGuard<Watched>, number: i32) -> Result<(), Error> {
        let killed = async {
            let (mut client, _) = self.dial("dlock abort").await?;
            kill(&mut client, number).await
        };
        let killed = killed.await;
        drop(guard);
        killed.map(drop).map_err(|error| match error {
            ServerError::Native(error) => Error::Setup { advice: KILL, source: Some(error) },
            _ => Error::Interrupted(None),
        })
    }
}
