//! The drivers that are compiled in, by the schemes of their URLs.

#[cfg(feature = "mssql")]
mod mssql;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "oracle")]
mod oracle;
#[cfg(feature = "postgres")]
mod postgres;

use super::AnyError;
use super::server::AnyServer;
use std::error::Error;

type Native = dyn Error + Send + Sync;

/// The server that a URL names, by the driver that goes by its scheme.
pub(super) fn server(url: &str) -> Result<AnyServer, AnyError> {
    let (scheme, _) = url.split_once("://").ok_or(AnyError::Scheme)?;
    match scheme {
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => postgres::server(url),
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => mysql::server(url),
        #[cfg(feature = "mssql")]
        "mssql" | "sqlserver" => mssql::server(url),
        #[cfg(feature = "oracle")]
        "oracle" => oracle::server(url),
        _ => Err(missing(scheme)),
    }
}

/// What to do where a native error says that something is missing on its server.
pub(super) fn advice(error: &AnyError) -> Option<String> {
    let AnyError::Native(native) = error else { return None };
    let known: &[fn(&Native) -> Option<String>] = &[
        #[cfg(feature = "postgres")]
        make::advice::<dlock_postgres::Server>,
        #[cfg(feature = "mysql")]
        make::advice::<dlock_mysql::Server>,
        #[cfg(feature = "mssql")]
        make::advice::<dlock_mssql::Server>,
        #[cfg(feature = "oracle")]
        make::advice::<dlock_oracle::Server>,
    ];
    known.iter().find_map(|advice| advice(native.as_ref()))
}

fn missing(scheme: &str) -> AnyError {
    let feature = match scheme {
        "postgres" | "postgresql" => "postgres",
        "mysql" | "mariadb" => "mysql",
        "mssql" | "sqlserver" => "mssql",
        "oracle" => "oracle",
        _ => return AnyError::Scheme,
    };
    AnyError::Feature { feature }
}

mod make {
    use crate::any::AnyError;
    use crate::any::alone::Lending;
    use crate::any::key::Given;
    use crate::any::server::{AnyServer, Kind};
    use dlock_core::KeyError;
    use dlock_locks::{Driver, UrlDriver};

    pub(super) fn advice<D: Driver>(error: &super::Native) -> Option<String> {
        D::advice(error.downcast_ref()?)
    }

    pub(super) fn server<D>(url: &str, kind: Kind) -> Result<AnyServer, AnyError>
    where
        D: UrlDriver + Lending,
    {
        let server = D::from_url(url).map_err(AnyError::native)?;
        Ok(AnyServer { server: Box::new(server), kind })
    }

    /// Text, numbers and bytes name locks everywhere; two numbers on PostgreSQL alone.
    pub(super) fn key<K>(given: Given, hashed: fn(&str) -> K) -> Result<K, KeyError>
    where
        K: TryFrom<String, Error: Into<KeyError>>
            + TryFrom<i64, Error: Into<KeyError>>
            + TryFrom<u64, Error: Into<KeyError>>
            + TryFrom<Vec<u8>, Error: Into<KeyError>>,
    {
        match given {
            Given::Text(text) => text.try_into().map_err(Into::into),
            Given::Hashed(text) => Ok(hashed(&text)),
            Given::Number(number) => number.try_into().map_err(Into::into),
            Given::Natural(number) => number.try_into().map_err(Into::into),
            Given::Bytes(bytes) => bytes.try_into().map_err(Into::into),
            Given::Pair(..) => {
                let reason = "two numbers name a lock on PostgreSQL alone";
                Err(KeyError::Mapping(reason.into()))
            }
        }
    }
}

/// What those with fences need besides.
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod fences {
    use crate::any::erased::Erased;
    use crate::any::{AnyError, AnySession};
    use dlock_locks::{FencedDriver, InspectDriver};
    use futures::future::LocalBoxFuture;

    pub(super) fn setup<D: FencedDriver + InspectDriver>(
        session: &AnySession,
    ) -> LocalBoxFuture<'_, Result<(), AnyError>> {
        let session = session.session.as_any().downcast_ref::<Erased<D>>();
        let session = &session.expect("a session of its own server").0;
        Box::pin(async move { D::setup(session).await.map_err(AnyError::native) })
    }
}
