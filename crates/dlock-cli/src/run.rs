//! `dlock run` and `dlock lead`.

use crate::args::{Lead, Run};
use crate::signals::Heeded;
use crate::status::{self, Failure, LOST, NO_SERVER};
use crate::url::Source;
use crate::work::Work;
use std::time::Duration;
use tokio::time::sleep;

/// How long a server that cannot be asked is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes the key, runs the command, and returns its status.
pub(crate) async fn run(source: &Source, run: &Run) -> Result<u8, Failure> {
    let url = source.url()?;
    let (hold, guard, command) = (&run.hold, &run.guard, &run.command);
    let work = Work { url: &url, key: &run.key, hold, guard, command };
    work.once("dlock run", &mut Heeded::new()?).await
}

/// Runs the command whenever the key is held, until the command ends by itself.
pub(crate) async fn lead(source: &Source, lead: &Lead) -> Result<u8, Failure> {
    let url = source.url()?;
    let (hold, guard, command) = (lead.hold(), &lead.guard, &lead.command);
    let work = Work { url: &url, key: &lead.key, hold: &hold, guard, command };
    let (mut signals, mut has_led) = (Heeded::new()?, false);
    loop {
        match work.once("dlock lead", &mut signals).await {
            Err(failure) if failure.status == LOST => {
                has_led = true;
                failure.sentence.iter().for_each(|sentence| status::say(sentence));
            }
            // Whoever has led once knows that the server is one.
            Err(failure) if failure.status == NO_SERVER && has_led => {}
            Ok(_) if lead.again => has_led = true,
            ended => return ended,
        }
        tokio::select! {
            number = signals.next() => return Err(Failure::signal(number)),
            () = sleep(PAUSE) => {}
        }
    }
}
