//! The measures, each over all subjects of one database.

mod crowd;
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
use crate::place::{Database, Place};
use crate::subject::Kind;

/// What the boards are called that goals are about.
pub(crate) const PAIRS: &str = "pairs, 1 connection";
pub(crate) const PAIRS_OF_EIGHT: &str = "pairs, 8 connections";
pub(crate) const WAIT_FREE: &str = "wait-free pairs, 1 connection";
pub(crate) const CPU: &str = "client CPU per pair, 1 connection";
pub(crate) const MANY_KEYS: &str = "pairs, 256 tasks and keys";
pub(crate) const ONE_KEY: &str = "10,000 tasks on one key: hand-over, median";
pub(crate) const ONE_KEY_MEMORY: &str = "10,000 tasks on one key: memory of one";
pub(crate) const ONE_KEY_SESSIONS: &str = "10,000 tasks on one key: sessions";
pub(crate) const WORK: &str = "5,000 tasks, 1,000 keys, 5 ms each";
pub(crate) const HAND_OVER: &str = "hand-over, median";
pub(crate) const ACQUIRE_TRIPS: &str = "acquire: round trips";
pub(crate) const RELEASE_TRIPS: &str = "release: round trips";
pub(crate) const PAIR_TRIPS: &str = "pair: round trips";
pub(crate) const PAIR_BYTES: &str = "pair: bytes";

/// A measure that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Uncontended acquires and releases in a second, and the client's processor time for each.
    Pairs,
    /// The same for acquires that do not wait.
    WaitFree,
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
    /// Many tasks of a process, on many keys and on one.
    Crowd,
    /// How long the server remembers a wait that was dropped.
    Drops,
}

impl Measure {
    /// Whether it is taken in this layout: in both where it depends on how the processors are
    /// shared.
    pub(crate) fn needs(self, layout: Layout) -> bool {
        match self {
            Self::Pairs | Self::WaitFree | Self::HandOver => true,
            Self::Growth => layout == Layout::Pinned,
            Self::TimeOut | Self::Wire | Self::Memory | Self::Crowd | Self::Drops => {
                layout == Layout::Unpinned
            }
        }
    }

    /// Whether there is anything to measure on this database.
    pub(crate) fn applies(self, database: Database) -> bool {
        match self {
            // Only there can a lock be had without a wait by a statement of its own, and only there
            // do many locks share one session by design.
            Self::WaitFree | Self::Growth => database == Database::Postgres,
            // Many keys want one message each way, which the stand-ins do not answer as servers do.
            Self::Crowd => !database.is_stand_in(),
            // Its stand-in has no wire.
            Self::Wire => database != Database::Oracle,
            _ => true,
        }
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
                pairs::measure(self, &pairs::ONE).await?;
                pairs::measure(self, &pairs::EIGHT).await
            }
            Measure::WaitFree => pairs::measure(self, &pairs::WITHOUT_WAIT).await,
            Measure::HandOver => hand_over::measure(self).await,
            Measure::TimeOut => time_out::measure(self).await,
            Measure::Wire => wire::measure(self).await,
            Measure::Memory => memory::measure(self).await,
            Measure::Growth => growth::measure(self).await,
            Measure::Crowd => crowd::measure(self).await,
            Measure::Drops => drops::measure(self).await,
        }
    }

    /// The kinds that take and give back separately.
    fn whole(&self) -> Vec<Kind> {
        self.kinds.iter().copied().filter(|kind| kind.is_whole).collect()
    }

    /// Says what is being done.
    fn say(&self, what: &str) {
        let (database, layout) = (self.place.database.title(), self.layout.name());
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

/// Of the order of turns, the same in every run.
const SEED: u64 = 7;

/// Microseconds.
fn micros(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Milliseconds.
fn millis(time: std::time::Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
