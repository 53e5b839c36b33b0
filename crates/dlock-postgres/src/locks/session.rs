use super::{ServerError, fence, statement, turnstile};
use crate::answer::{ends_session, lacks_plpgsql, truth};
use crate::statement::Form;
use crate::{Key, Mode, Number};
use dlock_core::Wait;
use dlock_locks::{Ask, What};
use std::cell::Cell;
use std::fmt;
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row, Statement};

/// The oldest server whose settings these sessions need: `tcp_user_timeout` is of PostgreSQL 12.
/// <https://www.postgresql.org/docs/12/release-12.html>
const OLDEST: i32 = 12_00_00;

/// A session of [`Locks`](crate::Locks).
pub struct ServerSession {
    pub(super) client: Client,
    ended: watch::Receiver<()>,
    batch: Statement,
    server: String,
    pub(super) pid: i32,
    has_lease: bool,
    /// Whether the server has no `plpgsql` for this role.
    is_plain: Cell<bool>,
    /// Whether the server said that it ends the session, of which the client may know a moment later.
    is_over: Cell<bool>,
}

/// Keys, the second halves of those that have two, whether to take each, whether shared, turnstiles.
const BATCH_TYPES: [Type; 5] =
    [Type::INT8_ARRAY, Type::INT4_ARRAY, Type::BOOL_ARRAY, Type::BOOL_ARRAY, Type::INT8_ARRAY];

impl ServerSession {
    pub(super) async fn new(
        client: Client,
        ended: watch::Receiver<()>,
        lease: Duration,
    ) -> Result<Self, ServerError> {
        let look = client.query_typed(statement::SESSION, &[]);
        let batch = client.prepare_typed(statement::BATCH, &BATCH_TYPES);
        let (rows, batch) = futures::future::join(look, batch).await;
        let (rows, batch) = (rows.map_err(ServerError::opening)?, batch);
        let [row] = rows.as_slice() else { return Err(ServerError::Answer) };
        check_server(row)?;
        let batch = batch.map_err(ServerError::opening)?;
        let has_lease = has_lease(row, lease)?;
        let (server, pid) = (row.try_get("server")?, row.try_get("pid")?);
        Ok(Self {
            client,
            ended,
            batch,
            server,
            pid,
            has_lease,
            is_plain: Cell::default(),
            is_over: Cell::default(),
        })
    }

    async fn run_batch(&self, asks: &[&Ask<Key>]) -> Result<Vec<bool>, ServerError> {
        if asks.is_empty() {
            return Ok(Vec::new());
        }
        let (first, second): (Vec<i64>, Vec<Option<i32>>) =
            asks.iter().map(|it| halves(it)).unzip();
        let tries: Vec<bool> = asks.iter().map(|ask| ask.what == What::Try).collect();
        let shared: Vec<bool> =
            asks.iter().map(|it| it.mode == dlock_locks::Mode::Shared).collect();
        let turnstiles: Vec<Option<i64>> = asks.iter().map(|ask| turnstile_of(ask)).collect();
        let parameters: [&(dyn ToSql + Sync); 5] = [&first, &second, &tries, &shared, &turnstiles];
        let rows = self.client.query(&self.batch, &parameters).await?;
        if rows.len() != asks.len() {
            return Err(ServerError::Answer);
        }
        rows.iter().map(|row| row.try_get(0).map_err(ServerError::from)).collect()
    }
}

impl ServerSession {
    /// Notes an error that is the session's last.
    fn noted<T>(&self, answer: Result<T, ServerError>) -> Result<T, ServerError> {
        if let Err(ServerError::Native(error)) = &answer {
            self.is_over.set(self.is_over.get() || ends_session(error));
        }
        answer
    }

    async fn run_all(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, ServerError> {
        let (undos, others): (Vec<_>, Vec<_>) = asks.iter().partition(|ask| ask.what == What::Undo);
        // Rare: an answer went missing. To unlock what is not held would be a warning in the server's log.
        for ask in undos {
            self.undo(ask).await?;
        }
        let mut truths = self.run_batch(&others).await?.into_iter();
        let truth = |ask: &Ask<Key>| ask.what == What::Undo || truths.next() == Some(true);
        Ok(asks.iter().map(truth).collect())
    }

    async fn wait_once(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, ServerError> {
        let form = if self.is_plain.get() { Form::Plain } else { Form::Quiet };
        let (number, millis) = (key.number(), Wait::millis(limit).max(1));
        let text = match mode {
            Mode::Exclusive => crate::statement::wait(form, mode, number, millis),
            Mode::Shared => statement::wait_behind(form, number, turnstile::number(key), millis),
        };
        let sent = self.client.simple_query_raw(&text).await?;
        match crate::answer::read(std::pin::pin!(sent)).await {
            Ok(rows) => Ok(truth(&rows) == Some(true)),
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => Ok(false),
            Err(error) if form == Form::Quiet && lacks_plpgsql(&error) => {
                self.is_plain.set(true);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// An interrupted batch may have left the turnstile behind, too.
    async fn undo(&self, ask: &Ask<Key>) -> Result<(), ServerError> {
        let mut undo = crate::statement::unlock_if_held(mode(ask.mode), ask.key.number());
        if let Some(turnstile) = turnstile_of(ask) {
            let turnstile = Number::Single(turnstile);
            undo.push(';');
            undo.push_str(&crate::statement::unlock_if_held(Mode::Shared, turnstile));
        }
        Ok(self.client.batch_execute(&undo).await?)
    }
}

impl dlock_locks::Session for ServerSession {
    type Key = Key;
    type Error = ServerError;

    fn server(&self) -> &str {
        &self.server
    }

    fn has_lease(&self) -> bool {
        self.has_lease
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, ServerError> {
        self.noted(self.run_all(asks).await)
    }

    async fn wait(
        &self,
        key: &Key,
        asked: dlock_locks::Mode,
        limit: Duration,
    ) -> Result<bool, ServerError> {
        self.noted(self.wait_once(key, mode(asked), limit).await)
    }

    async fn raise(&self, key: &Key, limit: Duration) -> Result<Option<u64>, ServerError> {
        self.noted(fence::raise(&self.client, key.number(), limit).await)
    }

    async fn ping(&self) -> Result<(), ServerError> {
        Ok(self.client.batch_execute("").await?)
    }

    fn is_ended(&self) -> bool {
        self.is_over.get() || self.client.is_closed()
    }

    async fn ended(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }

    /// A dropped client says goodbye behind what was sent, and a closed socket frees an idle session's keys
    /// at once; what runs is a slice at most.
    async fn end(self) {
        let Self { client, mut ended, .. } = self;
        drop(client);
        while ended.changed().await.is_ok() {}
    }
}

/// Refuses what is no server for locks.
fn check_server(row: &Row) -> Result<(), ServerError> {
    if row.try_get("is_standby")? {
        return Err(ServerError::Standby);
    }
    if row.try_get::<_, i32>("version")? < OLDEST {
        return Err(ServerError::setup("the server is older than PostgreSQL 12: upgrade it", None));
    }
    // The start-up options have been lost on their way.
    if row.try_get::<_, bool>("is_clean")? { Ok(()) } else { Err(ServerError::Pooler(None)) }
}

fn has_lease(row: &Row, lease: Duration) -> Result<bool, ServerError> {
    let taken: Option<&str> = row.try_get("lease")?;
    let taken = taken.and_then(crate::answer::duration);
    // A shorter one would end the session while it is still trusted.
    let has_lease = taken == Some(Duration::from_millis(Wait::millis(lease)));
    if !has_lease && row.try_get::<_, i32>("version")? >= 14_00_00 {
        tracing::warn!(
            ?taken,
            "the server did not take idle_session_timeout from here: sessions have no lease"
        );
    }
    Ok(has_lease)
}

fn mode(mode: dlock_locks::Mode) -> Mode {
    match mode {
        dlock_locks::Mode::Shared => Mode::Shared,
        // No other can be asked for here.
        _ => Mode::Exclusive,
    }
}

fn halves(ask: &Ask<Key>) -> (i64, Option<i32>) {
    match ask.key.number() {
        Number::Single(number) => (number, None),
        Number::Pair(one, two) => (one.into(), Some(two)),
    }
}

/// The number of the turnstile that a reader passes.
fn turnstile_of(ask: &Ask<Key>) -> Option<i64> {
    (mode(ask.mode) == Mode::Shared).then(|| turnstile::number(&ask.key))
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession").field("server", &self.server).finish_non_exhaustive()
    }
}
