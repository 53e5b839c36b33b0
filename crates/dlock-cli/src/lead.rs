//! `dlock lead`.

use crate::args::Lead;
use crate::locks::{self, Grant, Locks};
use crate::signals::Heeded;
use crate::sockets::Sockets;
use crate::status::{self, Failure, LOST, NO_SERVER};
use crate::url::Source;
use crate::work::Work;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How far apart two terms begin at least, where the command ends by itself: one that fails at once is not
/// run a hundred times a second.
const APART: Duration = Duration::from_secs(1);
/// How long it is until one competes again, the first time it failed: doubled each time.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The longest that becomes.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

/// Runs the command whenever the key is held, until the command ends by itself.
///
/// One session waits in the server's queue all the time, and is the one that the key is held on next.
pub(crate) async fn lead(source: &Source, lead: &Lead) -> Result<u8, Failure> {
    let url = source.url()?;
    let (hold, guard, command) = (lead.hold(), &lead.guard, &lead.command);
    let work = Work { url: &url, key: &lead.key, hold: &hold, guard, command };
    locks::possible(&url, &lead.key, hold.permits)?;
    let mut signals = Heeded::new()?;
    let before = Sockets::now();
    let opening = locks::open(&url, "dlock lead", hold.lease);
    let locks = signals.unless_one_comes(opening).await?;
    let ended = terms(&work, lead.again, &locks, &before, &mut signals).await;
    locks::close(&locks).await;
    ended
}

async fn terms(
    work: &Work<'_>,
    again: bool,
    locks: &Locks,
    before: &Sockets,
    signals: &mut Heeded,
) -> Result<u8, Failure> {
    let mut grant = signals.unless_one_comes(work.take(locks)).await?;
    loop {
        let began = Instant::now();
        let ended = work.under(grant, before, signals).await;
        if signals.have_come() {
            return ended;
        }
        let Some(pause) = next_term(&ended, again, began) else { return ended };
        let competing = async {
            sleep_until(pause).await;
            compete(work, locks).await
        };
        grant = signals.unless_one_comes(competing).await?;
    }
}

/// When to compete for the next term; `None`: there is none.
fn next_term(ended: &Result<u8, Failure>, again: bool, began: Instant) -> Option<Instant> {
    match ended {
        Err(failure) if failure.status == LOST => {
            failure.sentence.iter().for_each(|sentence| status::say(sentence));
            Some(Instant::now())
        }
        Ok(_) if again => Some(began + APART),
        _ => None,
    }
}

/// Takes the key, however often that has to be tried: whoever has led once knows that the server is one.
async fn compete(work: &Work<'_>, locks: &Locks) -> Result<Grant, Failure> {
    let mut pause = BACK_OFF;
    loop {
        match work.take(locks).await {
            Err(failure) if failure.status == NO_SERVER && pause == BACK_OFF => {
                let sentence = failure.sentence.unwrap_or_default();
                status::say(&format!("{sentence}; trying again"));
            }
            Err(failure) if failure.status == NO_SERVER => {}
            taken => return taken,
        }
        sleep(pause).await;
        pause = LONGEST_BACK_OFF.min(pause * 2);
    }
}
