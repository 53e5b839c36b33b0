//! The statements that this library sends for one key.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::locker::Locker;
use crate::place::Place;
use crate::recorder::Recorder;

/// The time-outs that are measured.
pub(crate) const LIMITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(5)];

/// The texts, one message each.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) acquire: String,
    pub(crate) release: String,
    within: Vec<(Duration, String)>,
}

impl Statements {
    /// Records what `L` sends for a key that nobody holds.
    pub(crate) async fn of<L: Locker>(place: Place, key: u32) -> Result<Self> {
        let recorder = Recorder::start(place).await?;
        let mut locker = L::connect(recorder.place(), key).await?;
        recorder.reset();
        locker.acquire().await?;
        locker.release().await?;
        let [acquire, release] = pair(&recorder)?;
        let mut within = Vec::new();
        for limit in LIMITS {
            recorder.reset();
            locker.acquire_within(limit).await?;
            locker.release().await?;
            let [acquire, _] = pair(&recorder)?;
            within.push((limit, acquire));
        }
        Ok(Self { acquire, release, within })
    }

    /// The statement of a bounded wait.
    pub(crate) fn within(&self, limit: Duration) -> Option<&str> {
        let found = self.within.iter().find(|(recorded, _)| *recorded == limit);
        found.map(|(_, text)| text.as_str())
    }
}

fn pair(recorder: &Recorder) -> Result<[String; 2]> {
    let statements = recorder.statements()?;
    let count = statements.len();
    <[String; 2]>::try_from(statements)
        .ok()
        .with_context(|| format!("an acquire and a release took {count} messages, not two"))
}
