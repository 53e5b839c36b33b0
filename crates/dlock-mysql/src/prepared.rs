use crate::AsConn;
use crate::answer::Answer;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::atomic::{AtomicBool, Ordering};

/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.
mod code {
    /// The server, or a proxy before it, does not know the statement any more.
    pub(super) const UNKNOWN_STMT_HANDLER: u16 = 1243;
    /// It prepares no such statement.
    pub(super) const UNSUPPORTED_PS: u16 = 1295;
    /// It keeps no more of them: `max_prepared_stmt_count`.
    pub(super) const MAX_PREPARED_STMT_COUNT_REACHED: u16 = 1461;
}

/// Whether a lock has its statements prepared.
#[derive(Debug, Default)]
pub(crate) struct Prepared(AtomicBool);

impl Prepared {
    pub(crate) fn set(&self, is_prepared: bool) {
        self.0.store(is_prepared, Ordering::Release);
    }

    /// Whether it has on this session: a driver that keeps no statements would prepare each time.
    fn is_set<S: AsConn>(&self, session: &S) -> bool {
        self.0.load(Ordering::Acquire) && session.conn().opts().stmt_cache_size() > 0
    }

    /// Asks for the number in the first column of the only row.
    ///
    /// Never inlined: before the driver boxes it, its future is larger than all that a caller has on
    /// its stack, and a caller is polled more often than it asks.
    #[inline(never)]
    pub(crate) fn ask<'a, S: AsConn>(
        &'a self,
        session: &'a mut S,
        statement: &'a str,
    ) -> BoxFuture<'a, Answer> {
        match self.is_set(session) {
            true => self.execute(session, statement).boxed(),
            false => session.query_first(statement),
        }
    }

    /// The driver prepares what it does not keep yet. Where the server refuses, it is sent as a text, and
    /// so is all after it.
    async fn execute<S: AsConn>(&self, session: &mut S, statement: &str) -> Answer {
        match session.exec_first(statement, ()).await {
            Err(error) if is_refused(&error) => {
                self.set(false);
                session.query_first(statement).await
            }
            answer => answer,
        }
    }
}

fn is_refused(error: &mysql_async::Error) -> bool {
    use code::{MAX_PREPARED_STMT_COUNT_REACHED, UNKNOWN_STMT_HANDLER, UNSUPPORTED_PS};
    let mysql_async::Error::Server(error) = error else {
        return false;
    };
    matches!(error.code, UNKNOWN_STMT_HANDLER | UNSUPPORTED_PS | MAX_PREPARED_STMT_COUNT_REACHED)
}
