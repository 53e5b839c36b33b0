//! Fences: a transaction refuses to go on for a holder that has lost its key.

use super::{Server, ServerError, ServerSession, statement};
use crate::answer::{self, Native};
use crate::{Key, Number};
use dlock_core::Wait;
use dlock_locks::{FencedConnection, FencedDriver};
use std::mem;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow, Transaction};

impl FencedDriver for Server {
    const DDL: &'static str = statement::DDL;

    async fn setup(session: &ServerSession) -> Result<(), ServerError> {
        match session.client.batch_execute(statement::DDL).await {
            // Somebody else makes them at this moment.
            Err(error) if is_made_elsewhere(&error) => {
                session.client.batch_execute(statement::DDL).await.map_err(meaning)
            }
            made => made.map_err(meaning),
        }
    }
}

fn is_made_elsewhere(error: &Native) -> bool {
    let codes =
        [&SqlState::UNIQUE_VIOLATION, &SqlState::DUPLICATE_TABLE, &SqlState::DUPLICATE_OBJECT];
    error.code().is_some_and(|code| codes.contains(&code))
}

/// Raises the bid, so that new fences of earlier holders refuse, and then the fence, behind the transactions
/// that are behind it.
pub(super) async fn raise(
    client: &Client,
    key: Number,
    limit: Duration,
) -> Result<Option<u64>, ServerError> {
    let begun = Instant::now();
    let left = || Wait::millis(limit.saturating_sub(begun.elapsed())).max(1);
    let Some(bid) = number(client, &statement::raise_bid(key, left())).await? else {
        return Ok(None);
    };
    number(client, &statement::raise_fence(key, bid, left())).await
}

/// The number that a statement returns; `None`: it took too long.
async fn number(client: &Client, text: &str) -> Result<Option<u64>, ServerError> {
    match client.simple_query(text).await {
        Ok(answers) => {
            let number = answers.iter().rev().find_map(row).and_then(|row| unsigned(row, 0));
            number.map(Some).ok_or(ServerError::Answer)
        }
        Err(error) if error.code() == Some(&SqlState::QUERY_CANCELED) => Ok(None),
        Err(error) => Err(meaning(error)),
    }
}

fn row(message: &SimpleQueryMessage) -> Option<&SimpleQueryRow> {
    match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    }
}

fn unsigned(row: &SimpleQueryRow, column: usize) -> Option<u64> {
    row.get(column)?.parse().ok()
}

/// The isolation level is the session's. The fence is the first statement, whose snapshot everything later
/// sees at REPEATABLE READ and above: it is taken when all fenced transactions of earlier holders are over.
impl FencedConnection<Server> for Client {
    type Transaction<'c> = Transaction<'c>;

    async fn begin<'c>(
        &'c mut self,
        key: &Key,
        token: u64,
        idle: Duration,
    ) -> Result<Option<Transaction<'c>>, ServerError> {
        let text = statement::fence(key.number(), Wait::millis(idle));
        let look = answer::queue(self, &statement::is_outside())?;
        let transaction = self.transaction().await?;
        let outside = answer::read(pin!(look)).await;
        if outside.is_ok_and(|rows| answer::truth(&rows) == Some(false)) {
            // Begun by hand, it is not ours to roll back.
            mem::forget(transaction);
            return Err(ServerError::InTransaction);
        }
        if is_passed(&transaction, &text, token).await? {
            return Ok(Some(transaction));
        }
        transaction.rollback().await?;
        Ok(None)
    }
}

async fn is_passed(
    transaction: &Transaction<'_>,
    text: &str,
    token: u64,
) -> Result<bool, ServerError> {
    let answers = match transaction.simple_query(text).await {
        Ok(answers) => answers,
        // The fence is raised by a later holder at this moment, and this is REPEATABLE READ or above.
        Err(error) if error.code() == Some(&SqlState::T_R_SERIALIZATION_FAILURE) => {
            return Ok(false);
        }
        Err(error) => return Err(meaning(error)),
    };
    let row = answers.iter().find_map(row);
    let fence = row.and_then(|row| unsigned(row, 0));
    let bid = row.and_then(|row| unsigned(row, 1));
    Ok(fence == Some(token) && bid.is_some_and(|bid| bid <= token))
}

/// What a failed statement on the tables means.
fn meaning(error: Native) -> ServerError {
    match error.code() {
        Some(&SqlState::UNDEFINED_TABLE) => ServerError::Setup {
            advice: format!(
                "fences need two tables, which `Locks::setup` or these statements make: {}",
                statement::DDL
            )
            .into(),
            source: Some(error),
        },
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => ServerError::setup(
            "this role may not use the tables of fences: grant SELECT, INSERT and UPDATE on \
             public.dlock_bid and public.dlock_fence; to make them it needs CREATE on the schema",
            Some(error),
        ),
        _ => ServerError::Native(error),
    }
}
