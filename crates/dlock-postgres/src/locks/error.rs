use crate::answer::Native;
use std::borrow::Cow;
use tokio_postgres::error::{DbError, SqlState};

/// Why a session of [`Locks`](crate::Locks) could not be opened, or could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The driver's error.
    #[error("the database driver failed; its own error says why")]
    Native(#[source] Native),
    /// Something is missing: one sentence on what to do.
    #[error("{advice}")]
    Setup {
        /// What to do.
        advice: Cow<'static, str>,
        /// What the driver said.
        source: Option<Native>,
    },
    /// The URL says what cannot be done.
    #[error("{advice}")]
    Url {
        /// What it is, and what to do. The password is not in it.
        advice: Cow<'static, str>,
    },
    /// The server is a standby, where a lock excludes nobody on the primary.
    #[error(
        "this server is a standby, where a lock excludes nobody on the primary: connect to the primary"
    )]
    Standby,
    /// The server is CockroachDB, whose advisory lock functions say yes to everybody.
    #[error(
        "this server is CockroachDB, whose advisory locks exclude nobody: connect to a PostgreSQL server"
    )]
    LocksNothing,
    /// A connection pooler stands in front, which hands one session's statements to several processes or
    /// drops its settings.
    #[error(
        "a connection pooler stands in front of the server, which takes locks away from who holds them: \
         connect to the server itself, by its own host and port"
    )]
    Pooler(#[source] Option<Native>),
    /// The connection has a transaction that was begun by hand, inside which there is no fence.
    #[error(
        "a transaction that was begun by hand is open on this connection, and a fence has to be the first \
         statement: commit it first"
    )]
    InTransaction,
    /// A session that was told to end is there still.
    #[error(
        "the session was told to end and is there still after ten seconds: look at its process"
    )]
    StillThere,
    /// The server answered something that no PostgreSQL would.
    #[error("the server answered something that no PostgreSQL would")]
    Answer,
}

impl ServerError {
    pub(super) fn url(advice: impl Into<Cow<'static, str>>) -> Self {
        Self::Url { advice: advice.into() }
    }

    pub(super) fn setup(advice: &'static str, source: Option<Native>) -> Self {
        Self::Setup { advice: advice.into(), source }
    }

    /// What a session that could not be opened means.
    /// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
    pub(super) fn opening(error: Native) -> Self {
        let Some(server) = error.as_db_error() else { return Self::Native(error) };
        if is_a_poolers(server) {
            return Self::Pooler(Some(error));
        }
        match advice(server) {
            Some(advice) => Self::setup(advice, Some(error)),
            None => Self::Native(error),
        }
    }
}

impl From<Native> for ServerError {
    fn from(error: Native) -> Self {
        Self::Native(error)
    }
}

fn advice(server: &DbError) -> Option<&'static str> {
    Some(match *server.code() {
        SqlState::TOO_MANY_CONNECTIONS => {
            "the server takes no more connections from this role: raise max_connections or the role's \
             CONNECTION LIMIT, or have others use fewer"
        }
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "the server does not let this role in with this password from here: its own error says more"
        }
        SqlState::INVALID_CATALOG_NAME => "there is no database of this name",
        SqlState::CANNOT_CONNECT_NOW => "the server is starting, stopping or recovering: try later",
        SqlState::INSUFFICIENT_PRIVILEGE => {
            "this role may not call the advisory lock functions: grant EXECUTE on them"
        }
        _ => return None,
    })
}

/// pgbouncer refuses start-up options that it cannot keep, and statements that want the session which it
/// does not give. RDS Proxy refuses all start-up options, and says its name.
/// <https://github.com/psycopg/psycopg2/issues/1577>
fn is_a_poolers(server: &DbError) -> bool {
    let code = server.code();
    let is_startup = server.message().contains("startup parameter");
    server.message().contains("RDS Proxy")
        || *code == SqlState::INVALID_SQL_STATEMENT_NAME
        || *code == SqlState::PROTOCOL_VIOLATION
            && (is_startup || server.message().contains("pooling mode"))
}
