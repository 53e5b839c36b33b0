//! The measures, each over all subjects of one database.

mod drops;
mod growth;
mod hand_over;
mod memory;
mod pairs;
mod time_out;
mod wire;

use anyhow::Result;
use clap::ValueEnum;
use indicatif::ProgressBar;

use crate::board::{Board, Fold};
use crate::eye::Eye;
use crate::figure::{Figure, Layout};
use crate::place::Place;
use crate::subject::Kind;

/// A measure that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Uncontended acquires and releases in a second, and the client's processor time for each.
    Pairs,
    /// From a holder's release to its waiter's return.
    HandOver,
    /// How much later than asked for a bounded wait ends.
    TimeOut,
    /// Round trips and bytes, counted by a proxy.
    Wire,
    /// What a waiter allocates in the client.
    Memory,
    /// Pairs in a second while the session holds many other keys, and the memory of those.
    Growth,
    /// How long the server remembers a wait that was dropped.
    Drops,
}

impl Measure {
    /// Whether it depends on how the processors are shared; the others run in one layout only.
    pub(crate) fn needs(self, layout: Layout) -> bool {
        layout == Layout::Unpinned || matches!(self, Self::Pairs | Self::HandOver | Self::Growth)
    }
}

/// One database under measurement.
pub(crate) struct Scene {
    pub(crate) place: Place,
    pub(crate) layout: Layout,
    pub(crate) kinds: Vec<Kind>,
    pub(crate) eye: Eye,
    /// How many rounds there are of what takes rounds.
    pub(crate) rounds: u32,
    /// Peers that do not work on this server, and what they say.
    pub(crate) failed: Vec<(&'static str, String)>,
    pub(crate) progress: ProgressBar,
    pub(crate) figures: Vec<Figure>,
}

impl Scene {
    /// Has every kind lock once. A peer that cannot is named in the tables and left out.
    pub(crate) async fn try_all(&mut self) -> Result<()> {
        for kind in std::mem::take(&mut self.kinds) {
            self.say(&format!("trying {}", kind.name));
            match self.try_one(kind).await {
                Ok(()) => self.kinds.push(kind),
                Err(error) if kind.is_peer() => {
                    self.failed.push((kind.name, format!("fails: {}", error.root_cause())));
                }
                Err(error) => return Err(error.context(kind.name)),
            }
        }
        Ok(())
    }

    async fn try_one(&self, kind: Kind) -> Result<()> {
        kind.connect(self.place, 1).await?.pairs(1).await.map(drop)
    }

    /// Runs one measure.
    pub(crate) async fn run(&mut self, measure: Measure) -> Result<()> {
        self.eye.expect_none().await?;
        match measure {
            Measure::Pairs => {
                pairs::measure(self, 1).await?;
                pairs::measure(self, 8).await
            }
            Measure::HandOver => hand_over::measure(self).await,
            Measure::TimeOut => time_out::measure(self).await,
            Measure::Wire => wire::measure(self).await,
            Measure::Memory => memory::measure(self).await,
            Measure::Growth => growth::measure(self).await,
            Measure::Drops => drops::measure(self).await,
        }
    }

    /// The kinds that take and give back separately.
    fn whole(&self) -> Vec<Kind> {
        self.kinds.iter().copied().filter(|kind| kind.is_whole).collect()
    }

    /// Says what is being done.
    fn say(&self, what: &str) {
        let (database, layout) = (self.place.database.name(), self.layout.name());
        self.progress.set_message(format!("{database}, {layout}: {what}"));
        self.progress.tick();
    }

    /// Keeps the figures of a board.
    fn keep(&mut self, board: &mut Board, fold: Fold) {
        for (name, reason) in &self.failed {
            board.note(name, reason.as_str());
        }
        self.figures.extend(board.figures(self.place.database, self.layout, fold));
    }
}

/// Microseconds.
fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Milliseconds.
fn millis(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
