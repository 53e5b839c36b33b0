//! Fenced transactions: what they write is written by one holder after the other, in the order of the tokens.

use super::{Answer, Contest, Fight, alone, loss};
use crate::dice::Dice;
use crate::roster::Member;
use crate::section::Found;
use crate::target::{Ledger, Written};
use anyhow::{Context, Result};
use dlock_core::Wait;
use dlock_locks::{Held, Locks};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The keys.
pub(crate) const KEYS: [&str; 2] = ["soak-fence-a", "soak-fence-b"];

pub(crate) struct Fenced<T: Ledger> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
    pub(crate) roster: SocketAddr,
}

impl<T: Ledger> Fight for Fenced<T> {
    const CONTEST: Contest = Contest::Fenced;
    type Driver = T::Driver;
    type Ask = &'static str;
    type Catch = Held<T::Driver>;
    type Watch = (Member, T::Connection);

    async fn watch(&self) -> Result<(Member, T::Connection)> {
        Ok((Member::connect(self.roster).await?, self.target.connection().await?))
    }

    fn ask(&self, dice: &mut Dice) -> Result<&'static str> {
        dice.pick(&KEYS).copied().context("there are keys")
    }

    async fn acquire(&self, key: &&'static str, wait: Wait) -> Answer<Self> {
        self.locks.key(T::key(key)?)?.fenced().acquire(wait).await
    }

    /// Goes on writing when the lock is lost: the fence is what stands in the way then.
    async fn stay(
        &self,
        (member, connection): &mut (Member, T::Connection),
        key: &&'static str,
        held: &Held<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        let claims = vec![alone(&self.target.section(key))];
        let work = tokio::time::sleep(stay / 2);
        member.stay(claims, held.token(), &|| loss(held), work).await?;
        Ok(match T::write(connection, held, key, stay / 2).await? {
            Written::Refused if !held.is_lost() => refused(held).await,
            Written::Refused => Found::Inherited,
            Written::Committed => Found::Alone,
            Written::Back(token) => {
                Found::Overlap(format!("{:?} wrote after a later holder, {token}", held.token()))
            }
        })
    }
}

/// Nobody is refused who is not told of a loss soon.
async fn refused<D: dlock_locks::Driver>(held: &Held<D>) -> Found {
    match tokio::time::timeout(Duration::from_secs(10), held.lost()).await {
        Ok(_) => Found::Inherited,
        Err(_) => Found::Overlap("a holder was refused, and not told of a loss".to_owned()),
    }
}
