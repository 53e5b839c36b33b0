use crate::answer::{Native, read, truth};
use crate::drive::Drive;
use crate::registry::Registry;
use crate::session::HasClient;
use crate::{Lock, Mode, Postgres, statement};
use futures::future::join;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Connection, Statement};

/// How often the statement is prepared at most, while the calls that do it are dropped.
const ATTEMPTS: u32 = 3;

/// Both halves of a session: the client, and the connection that drives it.
///
/// The fastest way to lock, for two reasons: the connection is driven by the call that waits for its
/// answer, and by a task of its own only while none does; and tries and releases of `bigint` keys are a
/// prepared statement, made in the same round trip as the first of them. The session ends when this is
/// dropped.
///
/// What you drop of it (`DISCARD`, `DEALLOCATE`) is prepared again by the next call, in a second round
/// trip; inside a transaction that you began by hand the server aborts that.
pub struct Session {
    /// At one address: its name in the registry.
    client: Box<Client>,
    drive: Arc<Drive>,
    prepared: Mutex<Prepared>,
    /// Kept while no lock is: a transaction's lock may hold a key.
    _registry: Arc<Registry>,
}

#[derive(Default)]
struct Prepared {
    statement: Option<Statement>,
    attempts: u32,
}

/// What a lock asks, and gets an answer to at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Call {
    Try,
    Unlock,
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
        let drive = Arc::new(Drive::new(Box::pin(connection)));
        let task = Arc::clone(&drive);
        tokio::spawn(async move { task.keep().await });
        let client = Box::new(client);
        let registry = Registry::of(&client);
        Self { client, drive, prepared: Mutex::default(), _registry: registry }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Others speak over it, too.
    pub(crate) fn share(&self) {
        self.drive.share();
    }

    /// Leaves the connection to its task, until the next exchange is polled.
    pub(crate) fn hand_over(&self) {
        self.drive.hand_over();
    }

    /// Drives the connection until this exchange is over.
    pub(crate) async fn attend<T>(&self, exchange: Pin<&mut impl Future<Output = T>>) -> T {
        self.drive.attend(exchange).await
    }

    /// Makes a call by the prepared statement, which is made by the first one, in the same round trip.
    /// The text says the same. An unlock that found the statement gone is an error: what dropped it may have
    /// freed the key, for another lock to take.
    pub(crate) async fn call(
        &self,
        call: Call,
        mode: Mode,
        key: i64,
        text: &str,
    ) -> Result<Option<bool>, Native> {
        let prepared = self.prepared().statement.clone();
        if let Some(statement) = prepared {
            let (is_try, is_shared) = (call == Call::Try, mode == Mode::Shared);
            let parameters: [&(dyn ToSql + Sync); 3] = [&key, &is_try, &is_shared];
            match self.attend(pin!(self.client.query_one(&statement, &parameters))).await {
                Err(error) if is_gone(&error) => {
                    self.prepared().statement = None;
                    if call == Call::Unlock {
                        return Err(error);
                    }
                }
                answer => return answer?.try_get(0),
            }
        }
        // Rare and large.
        Box::pin(self.first(text)).await
    }

    async fn first(&self, text: &str) -> Result<Option<bool>, Native> {
        let asked = async {
            let sent = self.client.simple_query_raw(text).await?;
            read(pin!(sent)).await
        };
        let attempts = self.prepared().attempts + 1;
        if attempts > ATTEMPTS {
            return self.attend(pin!(asked)).await.map(|rows| truth(&rows));
        }
        // Until it is answered, this one counts as dropped.
        self.prepared().attempts = attempts;
        let types = &[Type::INT8, Type::BOOL, Type::BOOL];
        let prepare = self.client.prepare_typed(statement::PREPARED, types);
        let (rows, statement) = self.attend(pin!(join(asked, prepare))).await;
        *self.prepared() = Prepared { statement: statement.ok(), attempts: attempts - 1 };
        rows.map(|rows| truth(&rows))
    }

    fn prepared(&self) -> MutexGuard<'_, Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the caller has dropped the prepared statement: DISCARD, DEALLOCATE.
pub(crate) fn is_gone(error: &Native) -> bool {
    error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
}

impl HasClient for Session {
    fn client(&self) -> &Client {
        &self.client
    }

    fn client_mut(&mut self) -> &mut Client {
        &mut self.client
    }

    fn is_pooled(&self) -> bool {
        false
    }

    fn halves(&self) -> Option<&Session> {
        Some(self)
    }
}

impl dlock_core::Session<Postgres> for Session {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Postgres> for Arc<Session> {
    type Lock = Lock<Self>;
}

impl Drop for Session {
    fn drop(&mut self) {
        // The task says goodbye to the server, even if an exchange was leaked.
        self.drive.hand_over();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("closed", &self.client.is_closed()).finish()
    }
}
