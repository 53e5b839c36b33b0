//! What the tasks of one `Locks` fight for: what is asked for, and what is watched while it is held.

pub(crate) mod fenced;
pub(crate) mod leader;
pub(crate) mod mixed;
pub(crate) mod permits;
pub(crate) mod several;
pub(crate) mod shared;

use crate::dice::Dice;
use crate::roster::{Claim, Member};
use crate::section::Found;
use anyhow::Result;
use dlock_core::Wait;
use dlock_locks::{Driver, Error, Held, Permit};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::future::Future;
use std::time::Duration;
use tokio::time::sleep;

/// A kind of contest.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Contest {
    /// Tasks with a lock and a session each.
    Lock,
    /// Tasks of one `Locks`, for the same keys.
    Locks,
    /// Readers and writers.
    Shared,
    /// Several keys at once.
    Several,
    /// The permits of a semaphore.
    Semaphore,
    /// Leadership.
    Lead,
    /// Fenced transactions.
    Fenced,
}

impl fmt::Display for Contest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Contest::Lock => "Lock",
            Contest::Locks => "Locks",
            Contest::Shared => "shared",
            Contest::Several => "several keys",
            Contest::Semaphore => "semaphore",
            Contest::Lead => "lead",
            Contest::Fenced => "fenced",
        })
    }
}

/// What is had of a `Locks`.
pub(crate) trait Catch<D: Driver>: Send + 'static {
    fn held(&self) -> &Held<D>;

    fn release(self) -> impl Future<Output = Result<(), Error<D::Error>>> + Send;
}

impl<D: Driver> Catch<D> for Held<D> {
    fn held(&self) -> &Held<D> {
        self
    }

    fn release(self) -> impl Future<Output = Result<(), Error<D::Error>>> + Send {
        self.release()
    }
}

impl<D: Driver> Catch<D> for Permit<D> {
    fn held(&self) -> &Held<D> {
        self
    }

    fn release(self) -> impl Future<Output = Result<(), Error<D::Error>>> + Send {
        self.release()
    }
}

/// One contest as one task fights it.
pub(crate) trait Fight: Send + Sync + 'static {
    const CONTEST: Contest;
    type Driver: Driver;
    /// What is asked for.
    type Ask: Send + Sync;
    /// What is had.
    type Catch: Catch<Self::Driver>;
    /// What watches it.
    type Watch: Send;

    fn watch(&self) -> impl Future<Output = Result<Self::Watch>> + Send;

    fn ask(&self, dice: &mut Dice) -> Result<Self::Ask>;

    fn acquire(&self, ask: &Self::Ask, wait: Wait) -> impl Future<Output = Answer<Self>> + Send;

    /// Comes in, stays for so long or until the lock is lost, and leaves.
    fn stay(
        &self,
        watch: &mut Self::Watch,
        ask: &Self::Ask,
        catch: &Self::Catch,
        stay: Duration,
    ) -> impl Future<Output = Result<Found>> + Send;
}

pub(crate) type ErrorOf<F> = Error<<<F as Fight>::Driver as Driver>::Error>;
pub(crate) type Answer<F> = Result<<F as Fight>::Catch, ErrorOf<F>>;

/// One who takes all of a section.
fn alone(section: &str) -> Claim {
    Claim { section: section.to_owned(), weight: 1, capacity: 1 }
}

/// A stay that the roster watches.
async fn stay<D: Driver>(
    member: &mut Member,
    claims: Vec<Claim>,
    held: &Held<D>,
    stay: Duration,
) -> Result<Found> {
    member.stay(claims, held.token(), &|| loss(held), sleep(stay)).await?;
    Ok(Found::Alone)
}

fn loss<D: Driver>(held: &Held<D>) -> Option<dlock_locks::LostReason> {
    held.must_have(Duration::ZERO).err().map(|lost| lost.reason())
}
