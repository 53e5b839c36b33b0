//! Readers and writers: as many readers as like, or one writer.

use super::{Answer, Contest, Fight};
use crate::dice::Dice;
use crate::roster::{Claim, Member};
use crate::section::Found;
use crate::target::Factory;
use anyhow::{Context, Result};
use dlock_core::Wait;
use dlock_locks::{Held, Locks, SharedDriver};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The keys.
pub(crate) const KEYS: [&str; 2] = ["soak-read-a", "soak-read-b"];
/// More readers than there are.
const ALL: u32 = 1_000;

pub(crate) struct Shared<T: Factory> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
    pub(crate) roster: SocketAddr,
}

impl<T: Factory<Driver: SharedDriver>> Fight for Shared<T> {
    const CONTEST: Contest = Contest::Shared;
    type Driver = T::Driver;
    type Ask = (&'static str, bool);
    type Catch = Held<T::Driver>;
    type Watch = Member;

    async fn watch(&self) -> Result<Member> {
        Member::connect(self.roster).await
    }

    fn ask(&self, dice: &mut Dice) -> Result<(&'static str, bool)> {
        Ok((*dice.pick(&KEYS).context("there are keys")?, dice.below(3) > 0))
    }

    async fn acquire(&self, (key, reads): &Self::Ask, wait: Wait) -> Answer<Self> {
        let request = self.locks.key(T::key(key)?)?;
        let request = if *reads { request.shared() } else { request };
        request.acquire(wait).await
    }

    async fn stay(
        &self,
        member: &mut Member,
        (key, reads): &Self::Ask,
        held: &Held<T::Driver>,
        stay: Duration,
    ) -> Result<Found> {
        let weight = if *reads { 1 } else { ALL };
        let claim = Claim { section: self.target.section(key), weight, capacity: ALL };
        super::stay(member, vec![claim], held, stay).await
    }
}
