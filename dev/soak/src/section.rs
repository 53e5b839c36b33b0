//! A critical section that finds out whether it is alone.
//!
//! A register beside the lock, in the database, holds who is in the section. Whoever comes in writes
//! its name over nothing, whoever leaves writes nothing over its name, both on the lock's own session
//! and both by compare-and-swap. A name that stands there already is either that of a session that
//! has ended (a server ends what a session holds before it forgets the session), and is written over;
//! or two sessions are in the section.

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
    if T::swap(guard.session(), key, None, Some(me)).await? {
        return Ok(Found::Alone);
    }
    let start = Instant::now();
    loop {
        let Some(other) = T::holder(guard.session(), key).await? else {
            return Ok(Found::Overlap("another session left the section of this holder".into()));
        };
        if !T::lives(guard.session(), &other).await? {
            return inherit::<T>(guard, key, &other, me).await;
        }
        if start.elapsed() > FADES {
            return Ok(Found::Overlap(format!("session {other} lives in the section of {me}")));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
