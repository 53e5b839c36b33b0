use crate::{Error, KeyError};
use std::error;

/// A session that a driver crate makes locks over, for [`lock`].
///
/// `Driver` is a tag type of the driver crate, so that it may implement this for session types that
/// are not its own.
pub trait Session<Driver>: Sized {
    /// The lock over this kind of session.
    type Lock;
    /// What names a lock on this server.
    type Key;
    /// The native driver's error.
    type Error: error::Error + 'static;

    /// A lock on `key` over this session. Nothing is sent yet.
    fn into_lock(self, key: Self::Key) -> Self::Lock;
}

/// A lock on `key` over whatever session it is given; the session's type picks the lock's.
///
/// # Errors
/// [`Error::Key`] when the key cannot name a lock on this server.
pub fn lock<D, S, K>(session: S, key: K) -> Result<S::Lock, Error<S::Error>>
where
    S: Session<D>,
    K: TryInto<S::Key, Error: Into<KeyError>>,
{
    let key = key.try_into().map_err(|error| Error::Key(error.into()))?;
    Ok(session.into_lock(key))
}
