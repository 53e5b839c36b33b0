use crate::answer::{ask, truth};
use crate::call::Call;
use crate::drive::Drive;
use crate::prepared::{Prepared, Wait};
use crate::{AsClient, Key, Mode};
use futures::future::join;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Connection, Error, SimpleQueryRow, Statement};

/// Both halves of a session: the client, and the connection that drives it.
///
/// The fastest way to lock, for two reasons: the connection is driven by the call that waits for its
/// answer, and by a task of its own only while none does; and what a lock says is prepared, in the
/// same round trip as its first use. The session ends when this is dropped.
///
/// What was prepared and is dropped by you (`DISCARD`, `DEALLOCATE`) is prepared again by the next
/// call, in a second round trip; the first wait after you set `statement_timeout` has a second one, too.
/// When the statement is gone inside a transaction that you began by hand, the server aborts that.
pub struct Session {
    client: Client,
    drive: Arc<Drive>,
    prepared: Mutex<Prepared>,
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
        Self { client, drive, prepared: Mutex::default() }
    }

    /// Drives the connection until this exchange is over.
    pub(crate) async fn attend<T>(&self, exchange: Pin<&mut impl Future<Output = T>>) -> T {
        self.drive.attend(exchange).await
    }

    /// Makes a call, by its prepared statement.
    pub(crate) async fn call(
        &self,
        call: Call,
        mode: Mode,
        key: Key,
    ) -> Result<Option<bool>, Error> {
        let prepared = self.prepared().call(call, mode, key.form());
        if let Some(statement) = prepared {
            let exchange = pin!(execute(&self.client, &statement, key));
            match self.attend(exchange).await {
                Err(error) if is_gone(&error) => {}
                answer => return answer,
            }
        }
        // Rare and large.
        Box::pin(self.first(call, mode, key)).await
    }

    /// Makes a call as text, and prepares it in the same round trip.
    async fn first(&self, call: Call, mode: Mode, key: Key) -> Result<Option<bool>, Error> {
        let text = call.text(mode, &key.arguments());
        let (template, types) = call.template(mode, key.form());
        let prepare = self.client.prepare_typed(&template, types);
        let both = pin!(join(ask(&self.client, &text), prepare));
        let (rows, statement) = self.attend(both).await;
        if let Ok(statement) = statement {
            self.prepared().keep(call, mode, key.form(), statement);
        }
        rows.map(|rows| truth(&rows))
    }

    /// Learns from the answer to a wait. `true`: nothing was done, and it has to be said again.
    pub(crate) fn learn(&self, wait: &Wait, answer: &Result<Vec<SimpleQueryRow>, Error>) -> bool {
        match answer {
            Ok(rows) => self.prepared().learn(wait, rows),
            Err(error) if is_gone(error) || is_foreign(error) => {
                self.prepared().forget_waits();
                true
            }
            Err(_) => false,
        }
    }

    /// What is prepared.
    pub(crate) fn prepared(&self) -> MutexGuard<'_, Prepared> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the caller has dropped the prepared statement: DISCARD, DEALLOCATE.
fn is_gone(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
}

/// Whether somebody else has prepared a statement of that name: who had the backend before, where a
/// pooler hands it on as it is.
fn is_foreign(error: &Error) -> bool {
    error.code() == Some(&SqlState::DUPLICATE_PSTATEMENT)
}

async fn execute(client: &Client, statement: &Statement, key: Key) -> Result<Option<bool>, Error> {
    let row = match key {
        Key::Single(number) => client.query_one(statement, &[&number]).await?,
        Key::Pair(first, second) => client.query_one(statement, &[&first, &second]).await?,
    };
    row.try_get(0)
}

impl AsClient for Session {
    fn client(&self) -> &Client {
        &self.client
    }

    fn own(&self) -> Option<&Session> {
        Some(self)
    }
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
