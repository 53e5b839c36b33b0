//! `dlock run`.

use crate::args::Run;
use crate::locks;
use crate::signals::Heeded;
use crate::sockets::Sockets;
use crate::status::Failure;
use crate::url::Source;
use crate::work::Work;

/// Takes the key, runs the command, and returns its status.
pub(crate) async fn run(source: &Source, run: &Run) -> Result<u8, Failure> {
    let url = source.url()?;
    let (hold, guard, command) = (&run.hold, &run.guard, &run.command);
    let work = Work { url: &url, key: &run.key, hold, guard, command };
    locks::possible(&url, &run.key, hold.permits)?;
    let mut signals = Heeded::new()?;
    let before = Sockets::now();
    let taking = async {
        let locks = locks::open(&url, "dlock run", hold.lease).await?;
        let grant = work.take(&locks).await?;
        Ok((locks, grant))
    };
    let (locks, grant) = signals.unless_one_comes(taking).await?;
    let ended = work.under(grant, &before, &mut signals).await;
    locks::close(&locks).await;
    ended
}
