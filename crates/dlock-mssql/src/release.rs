use crate::answer::{astray, failed};
use crate::{Key, Stream};
use dlock_core::{Cancelled, Exchange, Reply, Returned};
use std::borrow::BorrowMut;
use tiberius::Client;
use tiberius::error::Error as Native;

/// Releases the name `@P1`: once, and once more after an upgrade, for each get needs its own release.
///
/// Answers whether it was held. What is not held is not released: that would be error 1223.
pub(crate) const RELEASE: &str = "\
DECLARE @held int = 0;
IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock'
BEGIN
    EXEC sp_releaseapplock @Resource = @P1, @LockOwner = 'Session', @DbPrincipal = 'public';
    SET @held = 1;
    IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock'
        EXEC sp_releaseapplock @Resource = @P1, @LockOwner = 'Session', @DbPrincipal = 'public';
END;
SELECT @held AS held;
";

/// The round trip that releases.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) key: Key,
}

impl<T: Stream> Exchange<Client<T>> for Release {
    type Error = Native;

    const RELEASES: bool = true;

    async fn run<P>(self, mut place: P, _gone: Cancelled) -> Returned<P, Native>
    where
        P: BorrowMut<Client<T>> + Send,
    {
        let outcome = match self.ask(place.borrow_mut()).await {
            Ok(Some(held)) => Reply { answer: Ok(held == 1), usable: true },
            Ok(None) => astray(),
            Err(error) => failed(error),
        };
        outcome.with(place)
    }
}

impl Release {
    async fn ask<T: Stream>(&self, client: &mut Client<T>) -> Result<Option<i32>, Native> {
        let row = client.query(RELEASE, &[&self.key.as_str()]).await?.into_row().await?;
        row.map_or(Ok(None), |row| row.try_get(0))
    }
}
