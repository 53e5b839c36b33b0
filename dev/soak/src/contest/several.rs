//! Several keys at once, beside who takes one of them.

use super::{Answer, Contest, Fight, alone};
use crate::dice::Dice;
use crate::roster::Member;
use crate::section::Found;
use crate::target::Factory;
use anyhow::Result;
use dlock_core::Wait;
use dlock_locks::{Held, Locks};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The keys.
pub(crate) const KEYS: [&str; 4] = ["soak-all-a", "soak-all-b", "soak-all-c", "soak-all-d"];

pub(crate) struct Several<T: Factory> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
    pub(crate) roster: SocketAddr,
}

impl<T: Factory> Fight for Several<T> {
    const CONTEST: Contest = Contest::Several;
    type Driver = T::Driver;
    type Ask = Vec<&'static str>;
    type Catch = Held<T::Driver>;
    type Watch = Member;

    async fn watch(&self) -> Result<Member> {
        Member::connect(self.roster).await
    }

    /// One at least, from any of them on, in any order.
    fn ask(&self, dice: &mut Dice) -> Result<Vec<&'static str>> {
        let (first, count) = (usize::try_from(dice.below(4))?, usize::try_from(dice.below(3))?);
        let mut keys = Vec::from_iter(KEYS.into_iter().cycle().skip(first).take(count + 1));
        if dice.below(2) == 0 {
            keys.reverse();
        }
        Ok(keys)
    }

    async fn acquire(&self, keys: &Vec<&'static str>, wait: Wait) -> Answer<Self> {
        let keys = keys.iter().map(|key| T::key(key)).collect::<Result<Vec<_>, _>>()?;
        self.locks.lock_all(keys, wait).await
    }

    async fn stay(
        &self,
        member: &mut Member,
        keys: &Vec<&'static str>,
        held: &Held<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        let claims = keys.iter().map(|key| alone(&self.target.section(key))).collect();
        super::stay(member, claims, held, stay).await
    }
}
