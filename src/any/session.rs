use super::erased::ErasedSession;
use super::server::Kind;
use super::{AnyError, AnyKey};
use dlock_locks::{Ask, Mode, Session};
use std::fmt;
use std::time::Duration;

/// A session on a server of any kind.
pub struct AnySession {
    pub(crate) session: Box<dyn ErasedSession>,
    pub(crate) kind: Kind,
}

impl Session for AnySession {
    type Key = AnyKey;
    type Error = AnyError;

    fn server(&self) -> &str {
        self.session.server()
    }

    fn has_lease(&self) -> bool {
        self.session.has_lease()
    }

    async fn run(&self, asks: &[Ask<AnyKey>]) -> Result<Vec<bool>, AnyError> {
        self.session.run(asks).await
    }

    async fn wait(&self, key: &AnyKey, mode: Mode, limit: Duration) -> Result<bool, AnyError> {
        self.session.wait(key, mode, limit).await
    }

    async fn convert(
        &self,
        key: &AnyKey,
        from: Mode,
        to: Mode,
        limit: Duration,
    ) -> Result<bool, AnyError> {
        self.session.convert(key, from, to, limit).await
    }

    async fn raise(&self, key: &AnyKey, limit: Duration) -> Result<Option<u64>, AnyError> {
        self.session.raise(key, limit).await
    }

    async fn ping(&self) -> Result<(), AnyError> {
        self.session.ping().await
    }

    fn is_ended(&self) -> bool {
        self.session.is_ended()
    }

    async fn ended(&self) {
        self.session.ended().await;
    }

    async fn end(self) {
        self.session.end().await;
    }
}

impl fmt::Debug for AnySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnySession").field("server", &self.session.server()).finish_non_exhaustive()
    }
}
