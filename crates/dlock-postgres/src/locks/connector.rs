use super::ServerError;
use crate::answer::Native;
use std::future::Future;
use std::pin::Pin;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Socket};

/// What CockroachDB says of itself when a session begins, and nobody else does. Its session-level functions are
/// stubs that say yes.
/// <https://github.com/cockroachdb/cockroach/issues/13546>
const COCKROACH: &str = "crdb_version";

/// A client, and the future that its connection is.
pub(super) type Connected = (Client, Pin<Box<dyn Future<Output = Result<(), Native>> + Send>>);

/// A way to connect, whatever its TLS is.
pub(super) trait Connector: Send + Sync {
    fn connect<'a>(
        &'a self,
        config: &'a Config,
    ) -> Pin<Box<dyn Future<Output = Result<Connected, ServerError>> + Send + 'a>>;
}

/// By a connector of the native driver's.
pub(super) struct By<T>(pub(super) T);

impl<T> Connector for By<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + 'static,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect<'a>(
        &'a self,
        config: &'a Config,
    ) -> Pin<Box<dyn Future<Output = Result<Connected, ServerError>> + Send + 'a>> {
        Box::pin(async move {
            let connected = config.connect(self.0.clone()).await;
            let (client, connection) = connected.map_err(ServerError::opening)?;
            if connection.parameter(COCKROACH).is_some() {
                return Err(ServerError::LocksNothing);
            }
            let connection: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(connection);
            Ok((client, connection))
        })
    }
}
