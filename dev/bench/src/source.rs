//! Where a subject's connections come from.

use std::future::Future;
use std::marker::PhantomData;

use anyhow::Result;

use crate::locker::Locker;
use crate::place::Place;
use crate::statements::Statements;

/// What a subject's connections come from: a server's address, or a pool.
pub(crate) trait Source: Sized + Send + Sync + 'static {
    /// Whether it keeps its connections, so that asking for new ones gives the old ones again.
    const IS_POOL: bool = false;

    /// Prepares for so much as one connection.
    fn open(place: Place) -> impl Future<Output = Result<Self>> + Send;
}

impl Source for Place {
    async fn open(place: Place) -> Result<Self> {
        Ok(place)
    }
}

/// A server's address, and the statements that `L` sends to it over a connection that it has used so
/// many times.
#[derive(Debug)]
pub(crate) struct Recorded<L, const USES: u32 = 0> {
    pub(crate) place: Place,
    pub(crate) statements: Statements,
    locker: PhantomData<fn() -> L>,
}

impl<L: Locker<Source = Place>, const USES: u32> Source for Recorded<L, USES> {
    async fn open(place: Place) -> Result<Self> {
        let statements = Statements::of::<L>(place, USES).await?;
        Ok(Self { place, statements, locker: PhantomData })
    }
}
