use super::key::{AnyKey, Form, Given};
use dlock_core::KeyError;
use dlock_locks::Driver;
use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A key as its server knows it.
pub(crate) trait NativeKey: fmt::Display + Send + Sync + 'static {
    fn equals(&self, other: &dyn NativeKey) -> bool;
    /// Feeds what the driver's own key feeds.
    fn feed(&self, state: &mut dyn Hasher);
    fn folded(&self) -> Option<AnyKey>;
    fn derived(&self, label: &str) -> AnyKey;
    fn turnstile(&self) -> Option<AnyKey>;
    fn as_any(&self) -> &dyn Any;
}

/// A key of this driver's.
pub(crate) struct KeyOf<D: Driver> {
    key: D::Key,
    driver: PhantomData<fn() -> D>,
}

impl<D: Driver> KeyOf<D> {
    pub(crate) fn new(key: D::Key) -> Self {
        Self { key, driver: PhantomData }
    }
}

impl<D: Driver> fmt::Display for KeyOf<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

impl<D: Driver> NativeKey for KeyOf<D> {
    fn equals(&self, other: &dyn NativeKey) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| other.key == self.key)
    }

    fn feed(&self, mut state: &mut dyn Hasher) {
        self.key.hash(&mut state);
    }

    fn folded(&self) -> Option<AnyKey> {
        D::folded(&self.key).map(|key| AnyKey::known(Self::new(key)))
    }

    fn derived(&self, label: &str) -> AnyKey {
        AnyKey::known(Self::new(D::derive(&self.key, label)))
    }

    fn turnstile(&self) -> Option<AnyKey> {
        D::turnstile(&self.key).map(|key| AnyKey::known(Self::new(key)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What makes a key of a driver's.
pub(crate) trait FromGiven: Sized {
    fn from_given(given: Given) -> Result<Self, KeyError>;
}

/// The driver's key, of one that this driver's server has accepted.
pub(crate) fn key_of<D: Driver>(key: &AnyKey) -> Option<&D::Key> {
    let Form::Known(key) = &key.0 else { return None };
    key.as_any().downcast_ref::<KeyOf<D>>().map(|known| &known.key)
}

/// The key as the driver's server knows it.
pub(crate) fn accept<D: Driver<Key: FromGiven>>(
    driver: &D,
    key: AnyKey,
) -> Result<AnyKey, KeyError> {
    let Form::Given(given) = key.0 else { return Ok(key) };
    let key = driver.accept(D::Key::from_given(given)?)?;
    Ok(AnyKey::known(KeyOf::<D>::new(key)))
}
