use std::sync::atomic::{AtomicBool, Ordering};

/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.
mod code {
    /// A proxy before the server knows no such command.
    const UNKNOWN_COM_ERROR: u16 = 1047;
    /// The server, or a proxy before it, does not know the statement any more.
    const UNKNOWN_STMT_HANDLER: u16 = 1243;
    /// It prepares no such statement.
    const UNSUPPORTED_PS: u16 = 1295;
    /// It keeps no more of them: `max_prepared_stmt_count`.
    const MAX_PREPARED_STMT_COUNT_REACHED: u16 = 1461;

    pub(super) const ALL: [u16; 4] =
        [UNKNOWN_COM_ERROR, UNKNOWN_STMT_HANDLER, UNSUPPORTED_PS, MAX_PREPARED_STMT_COUNT_REACHED];
}

/// Whether a lock has its statements prepared.
#[derive(Debug, Default)]
pub(crate) struct Prepared(AtomicBool);

impl Prepared {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether the server did not run what it was asked for, only since it was to prepare it: from then on
    /// nothing is. Such an error may also be the late one of a statement of the caller's.
    pub(crate) fn was_refused(&self, error: &mysql_async::Error) -> bool {
        let mysql_async::Error::Server(error) = error else {
            return false;
        };
        code::ALL.contains(&error.code) && self.0.swap(false, Ordering::AcqRel)
    }
}
