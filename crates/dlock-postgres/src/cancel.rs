//! Calling off a wait whose future was dropped.

use crate::answer::{Answer, queue, read};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{CancelToken, Client, Config, Error, NoTls, Socket};

/// How long a cancel request may take where the configuration names no `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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

/// Whose the wait is: what a cancelled statement leaves behind it differs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// The statement was a transaction of its own: the fence behind it runs.
    Session,
    /// The caller's transaction is aborted now: the fence behind it fails at once.
    Transaction,
}

/// A wait on the wire, and what it takes to call it off.
pub(crate) struct Waiting {
    pub(crate) answer: Answer,
    pub(crate) runtime: Handle,
    pub(crate) scope: Scope,
}

impl Waiting {
    /// Calls the wait off in the background, unless it is answered already.
    pub(crate) fn call_off(mut self, client: &Client, canceller: Option<Canceller>) {
        if read(self.answer.as_mut()).now_or_never().is_some() {
            return;
        }
        let (token, canceller) = (client.cancel_token(), canceller.unwrap_or_default());
        if let (Some(fence), Some(_)) = (queue(client, FENCE), queue(client, SECOND_FENCE)) {
            self.runtime.spawn(call_off(self.answer, fence, self.scope, canceller, token));
        }
    }
}

/// Never sends a second cancel before the first is accounted for, so none goes astray.
async fn call_off(
    mut wait: Answer,
    mut fence: Answer,
    scope: Scope,
    canceller: Canceller,
    token: CancelToken,
) {
    if !canceller.cancel(token.clone()).await {
        return;
    }
    let answer = read(wait.as_mut()).await;
    let cancelled = answer.is_err_and(|error| error.code() == Some(&SqlState::QUERY_CANCELED));
    if cancelled && scope == Scope::Session {
        let echo = tokio::time::timeout(ECHO, read(fence.as_mut())).await;
        if echo.is_err() {
            canceller.cancel(token).await;
        }
    }
}
