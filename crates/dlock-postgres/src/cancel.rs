//! Calling off a wait whose future was dropped.

use crate::answer::{Answer, queue, read};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{
    CancelToken, Client, Config, Error, NoTls, SimpleQueryRow, SimpleQueryStream, Socket,
};

/// How long a cancel request may take where the configuration names no `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a wait is given from its sending on to answer by itself: what is refused at once must not
/// be cancelled, since inside a transaction that would abort it.
const GRACE: Duration = Duration::from_millis(100);

/// How long the fence takes to begin: a cancel is caught inside it, not at its beginning.
const BEGINS: Duration = Duration::from_millis(10);

/// How long until a cancel request that did nothing is taken for one that met an idle server, and is
/// sent again; doubled each time. It has to outlast a round trip, or a request that worked is sent
/// twice: so it is never less than four times what it took to connect, either.
const AGAIN: Duration = Duration::from_millis(500);

/// The same for one that may still be on its way to the fence.
const LOST: Duration = Duration::from_secs(1);

/// Up to version 16 the server signals twice for one cancel request, one system call after the
/// other. This is how long we wait for the second.
const ECHO: Duration = Duration::from_millis(20);

/// Stands in the pipeline behind a wait and absorbs a cancel request that comes too late for it, so
/// that none ever reaches a statement of the caller's. The cancel ends it, caught inside a
/// subtransaction, so that an open transaction goes on; without one it ends by itself.
const FENCE: &str =
    "DO 'BEGIN PERFORM pg_catalog.pg_sleep(5); EXCEPTION WHEN query_canceled THEN END'";

/// Stands behind the fence for as long as [`ECHO`], for the second signal.
const SECOND_FENCE: &str =
    "DO 'BEGIN PERFORM pg_catalog.pg_sleep(0.02); EXCEPTION WHEN query_canceled THEN END'";

type Request = dyn Fn(CancelToken) -> BoxFuture<'static, Result<(), Error>> + Send + Sync;

/// Lets a dropped wait be cancelled on a server that asks for TLS.
///
/// A cancel request goes over a connection of its own. Where the server takes plain ones, locks
/// need no canceller; with `sslmode=require` it takes the TLS connector that the session used.
#[derive(Clone)]
pub struct Canceller {
    request: Arc<Request>,
    timeout: Duration,
}

impl Canceller {
    /// A canceller for sessions that `config` opened with `tls` (not those of `connect_raw`).
    pub fn new<T>(config: impl Borrow<Config>, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let timeout = config.borrow().get_connect_timeout().copied();
        let request = move |token: CancelToken| -> BoxFuture<'static, Result<(), Error>> {
            let tls = tls.clone();
            Box::pin(async move { token.cancel_query(tls).await })
        };
        Self { request: Arc::new(request), timeout: timeout.unwrap_or(CONNECT_TIMEOUT) }
    }

    /// Sends one cancel request; `false` when it certainly did not reach the server.
    async fn cancel(&self, token: CancelToken) -> bool {
        let request = (self.request)(token);
        matches!(tokio::time::timeout(self.timeout, request).await, Ok(Ok(())))
    }
}

impl Default for Canceller {
    /// One that connects without TLS.
    fn default() -> Self {
        Self::new(Config::new(), NoTls)
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// A wait on the wire, and what it takes to call it off.
pub(crate) struct Waiting {
    answer: Answer,
    sent: Instant,
    runtime: Handle,
}

impl Waiting {
    /// The wait that this answer is for, just sent.
    pub(crate) fn new(answer: SimpleQueryStream) -> Self {
        Self { answer: Box::pin(answer), sent: Instant::now(), runtime: Handle::current() }
    }

    /// Reads the answer to its end.
    pub(crate) fn read(&mut self) -> impl Future<Output = Result<Vec<SimpleQueryRow>, Error>> {
        read(self.answer.as_mut())
    }

    /// Calls the wait off in the background, unless it is answered already; `None` also when the
    /// connection has ended. `undo` lets go of what was granted after all, and may be done twice.
    pub(crate) fn call_off(
        mut self,
        client: &Client,
        undo: &str,
        canceller: Option<Canceller>,
    ) -> Option<()> {
        if read(self.answer.as_mut()).now_or_never().is_some() {
            return None;
        }
        let undone = queue(client, undo)?;
        let (fence, _) = (queue(client, FENCE)?, queue(client, SECOND_FENCE)?);
        let canceller = canceller.unwrap_or_default();
        let token = client.cancel_token();
        let task = CallOff { wait: self.answer, undone, fence, canceller, token };
        self.runtime.spawn(task.run(self.sent + GRACE));
        Some(())
    }
}

/// The task that ends a wait on the server.
struct CallOff {
    wait: Answer,
    undone: Answer,
    fence: Answer,
    canceller: Canceller,
    token: CancelToken,
}

impl CallOff {
    /// Never sends a cancel before the one before is accounted for, so that none goes astray.
    async fn run(mut self, patience: Instant) {
        match tokio::time::timeout_at(patience, read(self.wait.as_mut())).await {
            Ok(answer) => self.end_the_fence(answer).await,
            Err(_) => drop(self.end_the_wait().await),
        }
    }

    /// The wait ended by itself. What stands in the way now is the fence, if it stands: in a
    /// transaction that was aborted before it fails at once.
    async fn end_the_fence(mut self, answer: Result<Vec<SimpleQueryRow>, Error>) {
        if failed_with(&answer, &SqlState::IN_FAILED_SQL_TRANSACTION) {
            return;
        }
        drop(read(self.undone.as_mut()).await);
        // Its beginning sends no sign.
        tokio::time::sleep(BEGINS).await;
        self.cancel().await;
    }

    async fn end_the_wait(mut self) -> Option<()> {
        let (mut patience, mut sent) = (AGAIN, 0);
        let answer = loop {
            let start = Instant::now();
            self.cancel().await.then_some(())?;
            (sent, patience) = (sent + 1, patience.max(4 * start.elapsed()));
            match tokio::time::timeout(patience, read(self.wait.as_mut())).await {
                Ok(answer) => break answer,
                Err(_) => patience *= 2,
            }
        };
        let undone = read(self.undone.as_mut()).await;
        let absorbed = failed_with(&answer, &SqlState::QUERY_CANCELED)
            || failed_with(&undone, &SqlState::QUERY_CANCELED);
        let patience = if absorbed && sent == 1 { ECHO } else { LOST };
        if tokio::time::timeout(patience, read(self.fence.as_mut())).await.is_err() {
            self.cancel().await;
        }
        Some(())
    }

    async fn cancel(&self) -> bool {
        self.canceller.cancel(self.token.clone()).await
    }
}

fn failed_with(answer: &Result<Vec<SimpleQueryRow>, Error>, state: &SqlState) -> bool {
    answer.as_ref().is_err_and(|error| error.code() == Some(state))
}
