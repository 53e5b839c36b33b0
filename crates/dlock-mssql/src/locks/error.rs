use tiberius::error::Error as Native;

/// Why a session of [`Locks`](crate::Locks) could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The driver's error.
    #[error("the database driver failed; its own error says why")]
    Native(#[from] Native),
    /// The connection string names no server that could be connected to. It is not shown: it may have a
    /// password in it.
    #[error("the connection string cannot be used: {0}")]
    Url(String),
    /// The database is read-only here.
    #[error(
        "the database is read-only here, and a lock on a replica excludes nobody on the primary; \
         connect to the primary"
    )]
    ReadOnly,
    /// The procedure returned a code that is no answer.
    #[error(
        "sp_getapplock refused with {0}; the session must be in a database whose `public` role may \
         execute it"
    )]
    Refused(i32),
    /// The user may not see the locks of others.
    #[error(
        "the server shows locks to those alone who may VIEW SERVER STATE; grant that to the login \
         (from SQL Server 2022 on VIEW SERVER PERFORMANCE STATE is enough)"
    )]
    Hidden(#[source] Native),
    /// Names that the server shows alike are in use.
    #[error(
        "other locks are in use whose names begin with the same 32 characters, and the server shows \
         no more of a name; use Key::hashed, or names that differ in their beginning"
    )]
    Ambiguous,
    /// The session did not end.
    #[error("the session did not end within five seconds; what runs on it is rolled back first")]
    NotEnded,
    /// The server answered something that no SQL Server would.
    #[error("the server answered something that no SQL Server would")]
    Answer,
}
