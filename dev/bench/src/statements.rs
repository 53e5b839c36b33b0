//! The statements that this library sends.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::locker::Locker;
use crate::place::{Database, Place};
use crate::recorder::Recorder;

/// The time-outs that are measured.
pub(crate) const LIMITS: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(5)];

/// The key that statements are recorded for: a number that nothing else in a statement is.
const SAMPLE: u32 = 4_241_999;

/// The texts, one message each.
#[derive(Clone, Debug)]
pub(crate) struct Statements {
    pub(crate) acquire: String,
    pub(crate) release: String,
    /// How it waits for a key that a first statement found taken.
    pub(crate) wait: Option<String>,
    within: Vec<(Duration, String)>,
}

impl Statements {
    /// Records what `L` sends for a key that nobody holds, over a connection that has acquired and
    /// released it so many times.
    pub(crate) async fn of<L: Locker<Source = Place>>(place: Place, uses: u32) -> Result<Self> {
        let [acquire, release] = record::<L>(place, uses, None).await?;
        let wait = record_wait::<L>(place, uses).await?;
        let mut within = Vec::new();
        for limit in LIMITS {
            let [acquire, _] = record::<L>(place, uses, Some(limit)).await?;
            within.push((limit, acquire));
        }
        Ok(Self { acquire, release, wait, within })
    }

    /// The same for another key, where the text holds the key: as it is, or its digits in hexadecimal.
    pub(crate) fn with_key(&self, key: u32) -> Self {
        let [sample, key] = [SAMPLE, key].map(|key| key.to_string());
        let changed =
            |text: &String| text.replace(&sample, &key).replace(&hex(&sample), &hex(&key));
        let within = self.within.iter().map(|(limit, text)| (*limit, changed(text)));
        Self {
            acquire: changed(&self.acquire),
            release: changed(&self.release),
            wait: self.wait.as_ref().map(changed),
            within: within.collect(),
        }
    }

    /// The same for another session, where the text names the session.
    pub(crate) fn on_session(mut self, id: u32) -> Self {
        const NAMES: &str = "CONNECTION_ID()<>";
        if let Some((_, rest)) = self.acquire.split_once(NAMES) {
            let recorded: String = rest.chars().take_while(char::is_ascii_digit).collect();
            for (before, after) in [("<>", ","), (")=", ",")] {
                let [from, to] =
                    [recorded.as_str(), &id.to_string()].map(|id| format!("{before}{id}{after}"));
                self.acquire = self.acquire.replace(&from, &to);
            }
        }
        self
    }

    /// The statement of a bounded wait.
    pub(crate) fn within(&self, limit: Duration) -> Option<&str> {
        let found = self.within.iter().find(|(recorded, _)| *recorded == limit);
        found.map(|(_, text)| text.as_str())
    }
}

async fn record<L: Locker<Source = Place>>(
    place: Place,
    uses: u32,
    limit: Option<Duration>,
) -> Result<[String; 2]> {
    let recorder = Recorder::start(place).await?;
    let mut locker = L::connect(&recorder.place(), SAMPLE).await?;
    locker.pairs(uses).await?;
    recorder.reset();
    match limit {
        Some(limit) => drop(locker.acquire_within(limit).await?),
        None => locker.acquire().await?,
    }
    locker.release().await?;
    pair(&recorder)
}

/// What comes second where somebody else holds the key: `None` where the first statement waits.
async fn record_wait<L: Locker<Source = Place>>(place: Place, uses: u32) -> Result<Option<String>> {
    if place.database == Database::Oracle {
        return Ok(None);
    }
    let recorder = Recorder::start(place).await?;
    let mut locker = L::connect(&recorder.place(), SAMPLE).await?;
    locker.pairs(uses).await?;
    recorder.reset();
    let mut holder = L::connect(&place, SAMPLE).await?;
    holder.acquire().await?;
    let waiter = tokio::spawn(async move {
        locker.acquire().await?;
        locker.release().await
    });
    let second = tokio::time::timeout(Duration::from_millis(200), second(&recorder)).await;
    holder.release().await?;
    waiter.await??;
    second.ok().transpose()
}

async fn second(recorder: &Recorder) -> Result<String> {
    loop {
        // A message may have been seen in part.
        if let Ok(statements) = recorder.statements()
            && let Some(text) = statements.into_iter().nth(1)
        {
            return Ok(text);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn pair(recorder: &Recorder) -> Result<[String; 2]> {
    let statements = recorder.statements()?;
    let count = statements.len();
    <[String; 2]>::try_from(statements)
        .ok()
        .with_context(|| format!("an acquire and a release took {count} messages, not two"))
}

#[cfg(test)]
mod tests {
    use super::{LIMITS, SAMPLE, Statements};

    #[test]
    fn the_key_is_changed_everywhere() {
        let text = |verb: &str| format!("{verb}({SAMPLE},0x34323431393939)");
        let within = LIMITS.map(|limit| (limit, text("within"))).into();
        let wait = Some(text("wait"));
        let recorded =
            Statements { acquire: text("acquire"), release: text("release"), wait, within };
        let changed = recorded.with_key(7);
        assert_eq!(changed.wait.as_deref(), Some("wait(7,0x37)"));
        assert_eq!(
            (changed.acquire.as_str(), changed.release.as_str()),
            ("acquire(7,0x37)", "release(7,0x37)")
        );
        assert_eq!(LIMITS.map(|limit| changed.within(limit)), [Some("within(7,0x37)"); 2]);
    }
}
