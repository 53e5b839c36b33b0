use std::error::Error;

/// Why a server of any kind could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnyError {
    /// No driver goes by the URL's scheme.
    #[error(
        "no driver goes by the scheme of this URL: use postgres://, mysql://, mariadb://, mssql:// or oracle://, \
         and write what is an ADO or JDBC string as mssql://user:password@host:port/database"
    )]
    Scheme,
    /// The driver that goes by the URL's scheme is not compiled in.
    #[error(
        "this program was built without that driver; enable the feature `{feature}` of dlock-db"
    )]
    Feature {
        /// The feature of `dlock-db` that has the driver.
        feature: &'static str,
    },
    /// The server has nothing of this kind.
    #[error("{server} has no {what}")]
    Unsupported {
        /// What the server is called.
        server: &'static str,
        /// What it has not.
        what: String,
    },
    /// The lock is on a server of another kind than the connection.
    #[error("the connection is to {connection}, and the lock is not")]
    Another {
        /// What kind of server the connection is to.
        connection: &'static str,
    },
    /// The native driver's error.
    #[error(transparent)]
    Native(Box<dyn Error + Send + Sync>),
}

impl AnyError {
    pub(crate) fn native(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Native(Box::new(error))
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    pub(crate) fn another(connection: &'static str) -> Self {
        Self::Another { connection }
    }
}
