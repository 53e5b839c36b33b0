use crate::Error;
use std::error;
use std::fmt;

/// Why a scope did not end as it should, and what its body returned where it ran.
///
/// Turns into the driver's [`Error`] by `?` where the value is not wanted.
pub struct WithError<T, E> {
    /// What the body returned; `None` where the lock was not acquired, so that it did not run.
    pub value: Option<T>,
    /// Why the lock was not acquired, or not released.
    pub error: Error<E>,
}

impl<T, E> From<Error<E>> for WithError<T, E> {
    fn from(error: Error<E>) -> Self {
        Self { value: None, error }
    }
}

impl<T, E> From<WithError<T, E>> for Error<E> {
    fn from(failure: WithError<T, E>) -> Self {
        failure.error
    }
}

impl<T, E: fmt::Debug> fmt::Debug for WithError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithError")
            .field("ran", &self.value.is_some())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

impl<T, E> fmt::Display for WithError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.value {
            Some(_) => {
                "the work under the lock was done, but the lock was not released as it should"
            }
            None => "the lock was not acquired, so the work under it was not done",
        })
    }
}

impl<T, E: error::Error + 'static> error::Error for WithError<T, E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.error)
    }
}
