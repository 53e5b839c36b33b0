use crate::{Error, KeyError, Lock, RawNew, XactLock};
use std::error;

/// A session that a driver crate makes locks over, for [`lock`].
///
/// `Driver` is a tag type of the driver crate, so that it may implement this for session types that
/// are not its own.
pub trait Session<Driver>: Sized {
    /// The lock over this kind of session.
    type Lock: Over<Self>;
}

/// A lock over a session of type `S`: [`Lock`] or [`XactLock`].
pub trait Over<S>: Sized {
    /// What names a lock on this server.
    type Key;
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// A lock on `key` over `session`. Nothing is sent yet.
    fn over(session: S, key: Self::Key) -> Self;
}

impl<S, R: RawNew<S>> Over<S> for Lock<R> {
    type Key = R::Key;
    type Error = R::Error;

    fn over(session: S, key: R::Key) -> Self {
        Self::from_raw(R::new(session, key))
    }
}

impl<S, R: RawNew<S>> Over<S> for XactLock<R> {
    type Key = R::Key;
    type Error = R::Error;

    fn over(session: S, key: R::Key) -> Self {
        Self::from_raw(R::new(session, key))
    }
}

/// A lock on `key` over whatever session it is given; the session's type picks the lock's.
///
/// # Errors
/// [`Error::Key`] when the key cannot name a lock on this server.
pub fn lock<D, S, K>(session: S, key: K) -> Result<S::Lock, Error<<S::Lock as Over<S>>::Error>>
where
    S: Session<D>,
    K: TryInto<<S::Lock as Over<S>>::Key, Error: Into<KeyError>>,
{
    let key = key.try_into().map_err(|error| Error::Key(error.into()))?;
    Ok(S::Lock::over(session, key))
}
