use crate::answer::{ask, value};
use crate::call::{Call, Form};
use crate::drive::Drive;
use crate::{AsClient, Key, Mode};
use futures_util::future::join;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Connection, Error, Statement};

/// Both halves of a session: the client, and the connection that drives it.
///
/// The fastest way to lock, for two reasons: the connection is driven by the call that waits for its
/// answer, and by a task of its own only while none does; and what answers at once (`try_lock`, a
/// release) is prepared the first time. The session ends when this is dropped.
pub struct Session {
    client: Client,
    drive: Arc<Drive>,
    statements: Mutex<HashMap<(Call, Mode, Form), Statement>>,
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
        Self { client, drive, statements: Mutex::default() }
    }

    /// The client, for exchanges that are attended.
    pub(crate) fn attended(&self) -> &Client {
        &self.client
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
        let prepared = self.statements().get(&(call, mode, key.form())).cloned();
        if let Some(statement) = prepared {
            let exchange = pin!(execute(&self.client, &statement, key));
            match self.attend(exchange).await {
                // The caller has dropped it: DISCARD, DEALLOCATE.
                Err(error) if error.code() == Some(&SqlState::INVALID_SQL_STATEMENT_NAME) => {}
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
            self.statements().insert((call, mode, key.form()), statement);
        }
        rows.map(|rows| value(&rows).map(|value| value == "t"))
    }

    fn statements(&self) -> MutexGuard<'_, HashMap<(Call, Mode, Form), Statement>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        // Whoever asks for it waits for answers and does not drive.
        self.drive.hand_over();
        &self.client
    }

    fn own(&self) -> Option<&Session> {
        Some(self)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The task says goodbye to the server.
        self.drive.hand_over();
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("closed", &self.client.is_closed()).finish()
    }
}
