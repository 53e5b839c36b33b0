//! Locks with a session to themselves, which they lend as what it is.

use super::native::{FromGiven, key_of};
use super::{AnyConnection, AnyError, AnyKey, AnyServer};
use dlock_core::{Error, Lend, Lock, OwnedGuard, RawLock, RawUnlock, SessionRef, Wait};
use dlock_locks::{AloneDriver, InspectDriver, Mode, Opened};
use futures::future::BoxFuture;
use std::any::Any;
use std::fmt;
use std::time::Duration;

/// A driver that lends its connections as those of any kind.
pub(crate) trait Lending: AloneDriver + InspectDriver<Key: FromGiven> {
    fn lend(session: SessionRef<'_, Self::Lock>) -> AnyConnection<'_>;
}

/// Lends the connection by its kind.
#[derive(Debug)]
pub enum ByKind {}

impl Lend for ByKind {
    type Of<'s, T: ?Sized + 's> = AnyConnection<'s>;
}

/// A lock on a server of any kind, which has a session to itself.
pub struct AnyLock {
    key: AnyKey,
    mode: Mode,
    lock: Box<dyn ErasedLock>,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, Error<AnyError>>>;

/// A driver's own lock.
trait ErasedLock: Send + 'static {
    fn session(&mut self) -> Option<AnyConnection<'_>>;
    fn is_closed(&self) -> bool;
    fn closed(&mut self) -> BoxFuture<'_, ()>;
    fn longest_statement(&self) -> Duration;
    fn lock(&mut self, wait: Wait) -> Answer<'_, bool>;
    fn abandon(&mut self);
    fn settle(&mut self) -> Answer<'_, ()>;
    fn unlock(&mut self) -> Answer<'_, bool>;
    fn unlock_scope(&mut self) -> Answer<'_, bool>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// What a driver opened.
struct Own<D: AloneDriver> {
    raw: D::Lock,
    number: D::Number,
}

fn any<E: std::error::Error + Send + Sync + 'static>(error: Error<E>) -> Error<AnyError> {
    error.map_driver(AnyError::native)
}

impl<D: Lending> ErasedLock for Own<D> {
    fn session(&mut self) -> Option<AnyConnection<'_>> {
        self.raw.session().map(D::lend)
    }

    fn is_closed(&self) -> bool {
        self.raw.is_closed()
    }

    fn closed(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(self.raw.closed())
    }

    fn longest_statement(&self) -> Duration {
        self.raw.longest_statement()
    }

    fn lock(&mut self, wait: Wait) -> Answer<'_, bool> {
        Box::pin(async move { self.raw.lock(wait).await.map_err(any) })
    }

    fn abandon(&mut self) {
        self.raw.abandon();
    }

    fn settle(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { self.raw.settle().await.map_err(any) })
    }

    fn unlock(&mut self) -> Answer<'_, bool> {
        Box::pin(async move { self.raw.unlock().await.map_err(any) })
    }

    fn unlock_scope(&mut self) -> Answer<'_, bool> {
        Box::pin(async move { self.raw.unlock_scope().await.map_err(any) })
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl RawLock for AnyLock {
    type Key = AnyKey;
    type Mode = Mode;
    type Session = ();
    type Lend = ByKind;
    type Error = AnyError;

    fn key(&self) -> &AnyKey {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<AnyConnection<'_>> {
        self.lock.session()
    }

    fn is_closed(&self) -> bool {
        self.lock.is_closed()
    }

    fn closed(&mut self) -> impl Future<Output = ()> + Send {
        self.lock.closed()
    }

    fn longest_statement(&self) -> Duration {
        self.lock.longest_statement()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error<AnyError>> {
        self.lock.lock(wait).await
    }

    fn abandon(&mut self) {
        self.lock.abandon();
    }

    async fn settle(&mut self) -> Result<(), Error<AnyError>> {
        self.lock.settle().await
    }
}

impl RawUnlock for AnyLock {
    async fn unlock(&mut self) -> Result<bool, Error<AnyError>> {
        self.lock.unlock().await
    }

    async fn unlock_scope(&mut self) -> Result<bool, Error<AnyError>> {
        self.lock.unlock_scope().await
    }
}

impl fmt::Debug for AnyLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyLock").field("key", &self.key).finish_non_exhaustive()
    }
}

impl AloneDriver for AnyServer {
    type Lock = AnyLock;
    /// It is kept with the lock.
    type Number = ();

    async fn alone(&self, name: &str, key: AnyKey, mode: Mode) -> Result<Opened<Self>, AnyError> {
        Ok((self.server.alone(name, key, mode).await?, ()))
    }

    async fn abort(&self, guard: OwnedGuard<AnyLock>, (): ()) -> Result<(), Error<AnyError>> {
        self.server.abort(guard).await
    }
}

pub(crate) async fn alone<D: Lending>(
    driver: &D,
    name: &str,
    key: AnyKey,
    mode: Mode,
) -> Result<Lock<AnyLock>, AnyError> {
    let native = key_of::<D>(&key).expect("a key that this server has accepted").clone();
    let (lock, number) = driver.alone(name, native, mode).await.map_err(AnyError::native)?;
    Ok(lock.map_raw(|raw| AnyLock { key, mode, lock: Box::new(Own::<D> { raw, number }) }))
}

pub(crate) async fn abort<D: Lending>(
    driver: &D,
    guard: OwnedGuard<AnyLock>,
) -> Result<(), Error<AnyError>> {
    let mut number = None;
    let guard = guard.map_raw(|any| {
        let own = any.lock.into_any().downcast::<Own<D>>().expect("a lock of this driver's");
        number = Some(own.number);
        own.raw
    });
    let number = number.expect("what was just kept");
    driver.abort(guard, number).await.map_err(any)
}
