use crate::AsConn;
use crate::answer::Answer;
use std::future::Future;
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
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Asks for the number in the first column of the only row. What is prepared already, the driver
    /// knows by its text.
    ///
    /// Never inlined: before the driver boxes it, its future is larger than all that a caller has on
    /// its stack, and a caller is polled more often than it asks.
    #[inline(never)]
    pub(crate) fn ask<'a, S: AsConn>(
        &self,
        session: &'a mut S,
        statement: &'a str,
    ) -> impl Future<Output = Answer> + Unpin + use<'a, S> {
        match self.is_set(session) {
            true => session.exec_first(statement, ()),
            false => session.query_first(statement),
        }
    }

    /// Whether it is set, on this session: a driver that keeps no statements would prepare each time.
    fn is_set<S: AsConn>(&self, session: &S) -> bool {
        self.0.load(Ordering::Acquire) && session.conn().opts().stmt_cache_size() > 0
    }

    /// Whether the server did not run what was asked for, only since it was prepared: from then on
    /// nothing is.
    pub(crate) fn was_refused(&self, error: &mysql_async::Error) -> bool {
        use code::{MAX_PREPARED_STMT_COUNT_REACHED, UNKNOWN_STMT_HANDLER, UNSUPPORTED_PS};
        let mysql_async::Error::Server(error) = error else {
            return false;
        };
        let was_refused = matches!(
            error.code,
            UNKNOWN_STMT_HANDLER | UNSUPPORTED_PS | MAX_PREPARED_STMT_COUNT_REACHED
        );
        was_refused && self.0.swap(false, Ordering::AcqRel)
    }
}
