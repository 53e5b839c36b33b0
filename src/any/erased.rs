//! A driver and its sessions behind objects, so that a URL can choose one.

use super::alone::{self, AnyLock, Lending};
use super::error::AnyError;
use super::key::AnyKey;
use super::native::{KeyOf, accept, key_of};
use dlock_core::{Error, KeyError, Lock, OwnedGuard};
use dlock_locks::{
    Ask, Driver, Finding, Holder, InspectDriver, Mode, Session, SessionOptions, Usage,
};
use futures::future::{BoxFuture, LocalBoxFuture};
use std::time::Duration;

/// An answer of a session's.
pub(crate) type Answer<'a, T> = LocalBoxFuture<'a, Result<T, AnyError>>;

/// A driver.
pub(crate) trait ErasedServer: Send + Sync + 'static {
    fn accept(&self, key: AnyKey) -> Result<AnyKey, KeyError>;
    fn folds(&self) -> bool;
    fn usage(&self) -> Usage;
    fn open<'a>(&'a self, options: &'a SessionOptions) -> Answer<'a, Box<dyn ErasedSession>>;
    fn check<'a>(&'a self, options: &'a SessionOptions) -> Answer<'a, Vec<Finding>>;
    fn alone<'a>(
        &'a self,
        name: &'a str,
        key: AnyKey,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Lock<AnyLock>, AnyError>>;
    fn abort(&self, guard: OwnedGuard<AnyLock>) -> BoxFuture<'_, Result<(), Error<AnyError>>>;
}

impl<D: Lending> ErasedServer for D {
    fn accept(&self, key: AnyKey) -> Result<AnyKey, KeyError> {
        accept(self, key)
    }

    fn folds(&self) -> bool {
        Driver::folds(self)
    }

    fn usage(&self) -> Usage {
        Driver::usage(self)
    }

    fn open<'a>(&'a self, options: &'a SessionOptions) -> Answer<'a, Box<dyn ErasedSession>> {
        Box::pin(async move {
            let session = Driver::open(self, options).await.map_err(AnyError::native)?;
            Ok(Box::new(Erased::<D>(session)) as Box<dyn ErasedSession>)
        })
    }

    fn check<'a>(&'a self, options: &'a SessionOptions) -> Answer<'a, Vec<Finding>> {
        Box::pin(async move { InspectDriver::check(self, options).await.map_err(AnyError::native) })
    }

    fn alone<'a>(
        &'a self,
        name: &'a str,
        key: AnyKey,
        mode: Mode,
    ) -> BoxFuture<'a, Result<Lock<AnyLock>, AnyError>> {
        Box::pin(alone::alone(self, name, key, mode))
    }

    fn abort(&self, guard: OwnedGuard<AnyLock>) -> BoxFuture<'_, Result<(), Error<AnyError>>> {
        Box::pin(alone::abort(self, guard))
    }
}

/// A session.
pub(crate) trait ErasedSession: 'static {
    fn server(&self) -> &str;
    fn has_lease(&self) -> bool;
    fn run<'a>(&'a self, asks: &'a [Ask<AnyKey>]) -> Answer<'a, Vec<bool>>;
    fn wait<'a>(&'a self, key: &'a AnyKey, mode: Mode, limit: Duration) -> Answer<'a, bool>;
    fn convert<'a>(
        &'a self,
        key: &'a AnyKey,
        from: Mode,
        to: Mode,
        limit: Duration,
    ) -> Answer<'a, bool>;
    fn raise<'a>(&'a self, key: &'a AnyKey, limit: Duration) -> Answer<'a, Option<u64>>;
    fn ping(&self) -> Answer<'_, ()>;
    fn is_ended(&self) -> bool;
    fn ended(&self) -> LocalBoxFuture<'_, ()>;
    fn end(self: Box<Self>) -> LocalBoxFuture<'static, ()>;
    fn holders<'a>(&'a self, key: Option<&'a AnyKey>) -> Answer<'a, Vec<Holder<AnyKey>>>;
    fn end_session<'a>(&'a self, number: &'a str) -> Answer<'a, bool>;
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn as_any(&self) -> &dyn std::any::Any;
}

/// A session of this driver's.
pub(crate) struct Erased<D: Driver>(pub(crate) D::Session);

/// Keys come from [`Locks`](dlock_locks::Locks), which asks the server to accept each first.
const ACCEPTED: &str = "a key that this server has accepted";

fn native<D: Driver>(key: &AnyKey) -> &D::Key {
    key_of::<D>(key).expect(ACCEPTED)
}

fn any<D: Driver>(holder: Holder<D::Key>) -> Holder<AnyKey> {
    holder.map(|key| AnyKey::known(KeyOf::<D>::new(key)))
}

impl<D: InspectDriver> ErasedSession for Erased<D> {
    fn server(&self) -> &str {
        self.0.server()
    }

    fn has_lease(&self) -> bool {
        self.0.has_lease()
    }

    fn run<'a>(&'a self, asks: &'a [Ask<AnyKey>]) -> Answer<'a, Vec<bool>> {
        let asks = asks.iter().map(|ask| Ask {
            what: ask.what,
            key: native::<D>(&ask.key).clone(),
            mode: ask.mode,
        });
        let asks = Vec::from_iter(asks);
        Box::pin(async move { self.0.run(&asks).await.map_err(AnyError::native) })
    }

    fn wait<'a>(&'a self, key: &'a AnyKey, mode: Mode, limit: Duration) -> Answer<'a, bool> {
        let key = native::<D>(key);
        Box::pin(async move { self.0.wait(key, mode, limit).await.map_err(AnyError::native) })
    }

    fn convert<'a>(
        &'a self,
        key: &'a AnyKey,
        from: Mode,
        to: Mode,
        limit: Duration,
    ) -> Answer<'a, bool> {
        let key = native::<D>(key);
        Box::pin(
            async move { self.0.convert(key, from, to, limit).await.map_err(AnyError::native) },
        )
    }

    fn raise<'a>(&'a self, key: &'a AnyKey, limit: Duration) -> Answer<'a, Option<u64>> {
        let key = native::<D>(key);
        Box::pin(async move { self.0.raise(key, limit).await.map_err(AnyError::native) })
    }

    fn ping(&self) -> Answer<'_, ()> {
        Box::pin(async move { self.0.ping().await.map_err(AnyError::native) })
    }

    fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    fn ended(&self) -> LocalBoxFuture<'_, ()> {
        Box::pin(self.0.ended())
    }

    fn end(self: Box<Self>) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.0.end())
    }

    fn holders<'a>(&'a self, key: Option<&'a AnyKey>) -> Answer<'a, Vec<Holder<AnyKey>>> {
        let key = key.map(native::<D>);
        Box::pin(async move {
            let holders = D::holders(&self.0, key).await.map_err(AnyError::native)?;
            Ok(holders.into_iter().map(any::<D>).collect())
        })
    }

    fn end_session<'a>(&'a self, number: &'a str) -> Answer<'a, bool> {
        Box::pin(async move { D::end_session(&self.0, number).await.map_err(AnyError::native) })
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
