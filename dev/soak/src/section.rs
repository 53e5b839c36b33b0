//! A critical section that finds out whether it is alone.
//!
//! A register beside the lock, in the database, holds who is in the section. Whoever comes in writes
//! its name over nothing, whoever leaves writes nothing over its name, both on the lock's own session
//! and both by compare-and-swap. A name that stands there already is either that of a session that
//! has ended (a server ends what a session holds before it forgets the session), and is written over;
//! or two sessions are in the section.

use crate::contest::mixed;
use crate::target::Target;
use anyhow::Result;
use dlock_core::Guard;
use std::time::{Duration, Instant};

/// How long a session may take to disappear from the server once it has lost its locks.
const FADES: Duration = Duration::from_secs(5);

/// How a section began, or ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Alone.
    Alone,
    /// Alone, after one who died inside.
    Inherited,
    /// Not alone.
    Overlap(String),
}

/// Comes in.
///
/// # Errors
/// Returns an error if the session has ended.
pub async fn enter<T: Target>(guard: &mut Guard<'_, T::Raw>, key: &str, me: &str) -> Result<Found> {
    let (start, mut was_met) = (Instant::now(), false);
    loop {
        let Some(other) = T::holder(guard.session(), key).await? else {
            match T::swap(guard.session(), key, None, Some(me)).await? {
                true if was_met => {
                    return Ok(Found::Overlap("another left the section of this holder".into()));
                }
                true => return Ok(Found::Alone),
                false => continue,
            }
        };
        if is_apart(&other) {
            if T::swap(guard.session(), key, Some(&other), Some(me)).await? {
                return Ok(Found::Inherited);
            }
            continue;
        }
        was_met = true;
        if !T::lives(guard.session(), &other).await? {
            return inherit::<T>(guard, key, &other, me).await;
        }
        if start.elapsed() > FADES {
            return Ok(Found::Overlap(format!("session {other} lives in the section of {me}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether this is written by a task of `Locks`, whose connection to the register is not the session of its
/// lock: it may live on when the lock is lost. It judges for itself, once its name is gone: that is an
/// overlap unless it is told of a loss.
fn is_apart(name: &str) -> bool {
    name.contains('#') || mixed::is_over(name)
}

async fn inherit<T: Target>(
    guard: &mut Guard<'_, T::Raw>,
    key: &str,
    other: &str,
    me: &str,
) -> Result<Found> {
    let inherited = T::swap(guard.session(), key, Some(other), Some(me)).await?;
    Ok(match inherited {
        true => Found::Inherited,
        false => Found::Overlap(format!("somebody else took over from {other} before {me} did")),
    })
}

/// Leaves.
///
/// # Errors
/// Returns an error if the session has ended.
pub async fn leave<T: Target>(guard: &mut Guard<'_, T::Raw>, key: &str, me: &str) -> Result<Found> {
    let left = T::swap(guard.session(), key, Some(me), None).await?;
    Ok(match left {
        true => Found::Alone,
        false => Found::Overlap(format!("somebody took over from {me}, who is alive")),
    })
}
