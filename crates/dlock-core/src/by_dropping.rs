use crate::{End, Error};
use std::error;
use std::fmt;
use std::marker::PhantomData;

/// Ends a session by dropping it: for servers that let go as soon as a connection is closed, whatever
/// runs on it.
pub struct ByDropping<E>(PhantomData<fn() -> E>);

impl<E> Default for ByDropping<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for ByDropping<E> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<S, E> End<S> for ByDropping<E>
where
    S: Send,
    E: error::Error + Send + Sync + 'static,
{
    type Error = E;

    async fn end(&self, session: Option<S>) -> Result<(), Error<E>> {
        drop(session);
        Ok(())
    }
}

impl<E> fmt::Debug for ByDropping<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByDropping")
    }
}
