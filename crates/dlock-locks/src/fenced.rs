use crate::{Error, FencedConnection, FencedDriver, Held, Lost, LostReason, Term};
use std::sync::Arc;
use std::time::Duration;

/// For how long a fenced transaction may be idle before the server ends it, where it can: longer than any
/// statement's answer takes to be read, and shorter than anybody wants to wait for a client that has vanished.
const IDLE: Duration = Duration::from_secs(30);

impl<D: FencedDriver> Held<D> {
    /// Begins a transaction that the server itself refuses when somebody else holds the key by now: its
    /// first statement looks at the fence, and no holder that comes later is told so before it is over.
    ///
    /// The server ends a transaction that is idle for 30 seconds, where it has such a limit.
    ///
    /// # Errors
    /// [`Error::Lost`] when it was refused; it is rolled back then. [`Error::NotFenced`] where the lock was not
    /// asked for [fenced](crate::Request::fenced).
    ///
    /// # Cancel safety
    /// As the native driver's own call that begins a transaction.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{FencedConnection, FencedDriver, Held};
    /// # async fn example<D: FencedDriver, C: FencedConnection<D>>(held: Held<D>, mut client: C)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = held.begin(&mut client).await?; // `Lost`: somebody else holds the key by now
    /// // … statements of the transaction, and its commit …
    /// # drop(transaction);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin<'c, C>(
        &self,
        connection: &'c mut C,
    ) -> Result<C::Transaction<'c>, Error<D::Error>>
    where
        C: FencedConnection<D>,
    {
        begin(self.key(), self.token(), connection).await
    }
}

impl<D: FencedDriver> Term<D> {
    /// Begins a transaction that the server itself refuses when somebody else leads by now, as
    /// [`Held::begin`] does.
    ///
    /// # Errors
    /// As [`Held::begin`].
    ///
    /// # Cancel safety
    /// As [`Held::begin`].
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{FencedConnection, FencedDriver, Term};
    /// # async fn example<D: FencedDriver, C: FencedConnection<D>>(term: Term<D>, mut client: C)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// let transaction = term.begin(&mut client).await?; // `Lost`: somebody else leads by now
    /// // … statements of the transaction, and its commit …
    /// # drop(transaction);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn begin<'c, C>(
        &self,
        connection: &'c mut C,
    ) -> Result<C::Transaction<'c>, Error<D::Error>>
    where
        C: FencedConnection<D>,
    {
        begin(self.key(), self.token(), connection).await
    }
}

async fn begin<'c, D: FencedDriver, C: FencedConnection<D>>(
    key: &D::Key,
    token: Option<u64>,
    connection: &'c mut C,
) -> Result<C::Transaction<'c>, Error<D::Error>> {
    let name = || key.to_string();
    let token = token.ok_or_else(|| Error::NotFenced { key: name() })?;
    let begun = connection.begin(key, token, IDLE).await;
    let begun = begun.map_err(|error| Error::failed::<D>(name(), Arc::new(error)))?;
    begun.ok_or_else(|| Error::Lost(Lost::new(name(), LostReason::Fenced)))
}
