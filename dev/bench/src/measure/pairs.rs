//! Uncontended acquires and releases, and the processor time that they cost the client.

use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;

use super::{CPU, PAIRS, PAIRS_OF_EIGHT, SEED, Scene, WAIT_FREE, micros};
use crate::board::{Board, Fold};
use crate::place::{Database, Place};
use crate::subject::{Kind, LOOPBACK, Lap, RAW, Subject, TYPED, wait_free};

const FIRST: u32 = 30;

/// Which pairs are measured.
pub(super) struct Setup {
    pairs: &'static str,
    cpu: &'static str,
    connections: u32,
    baseline: &'static str,
    /// How often each subject has its turn in a round.
    turns: u32,
    /// How long one is, about, in seconds.
    turn: f64,
    kinds: fn(&Scene) -> Vec<Kind>,
}

/// A lock that waits, on one connection. Many short turns: what slows the machine down for a while slows
/// down all subjects.
pub(super) const ONE: Setup = Setup {
    pairs: PAIRS,
    cpu: CPU,
    connections: 1,
    baseline: RAW,
    turns: 10,
    turn: 0.006,
    kinds: |scene| scene.kinds.clone(),
};

/// The same on eight at once. The last connection ends a turn, so it is long.
pub(super) const EIGHT: Setup = Setup {
    pairs: PAIRS_OF_EIGHT,
    cpu: "client CPU per pair, 8 connections",
    connections: 8,
    turns: 1,
    turn: 0.06,
    ..ONE
};

/// A lock that does not wait.
pub(super) const WITHOUT_WAIT: Setup = Setup {
    pairs: WAIT_FREE,
    cpu: "client CPU per wait-free pair, 1 connection",
    baseline: TYPED,
    kinds: |scene| wait_free(scene.place.database).to_vec(),
    ..ONE
};

struct Entry {
    kind: Kind,
    subject: Box<dyn Subject>,
    /// How many pairs a turn has, on each connection.
    count: u32,
}

impl Entry {
    async fn connect(kind: Kind, place: Place, setup: &Setup) -> Result<Self> {
        let mut subject = kind.connect(place, setup.connections).await?;
        subject.pairs(FIRST).await?;
        let first = subject.pairs(FIRST).await?;
        Ok(Self { kind, subject, count: count(first.wall, setup.turn) })
    }

    /// A turn, after some pairs that bring back into the caches what others drove out.
    async fn turn(&mut self) -> Result<Lap> {
        self.subject.pairs(self.count.div_ceil(8)).await?;
        self.subject.pairs(self.count).await
    }
}

/// Measures what the setup says.
pub(super) async fn measure(scene: &mut Scene, setup: &Setup) -> Result<()> {
    let mut entries = connect(scene, setup).await?;
    let mut boards = Boards::new(setup);
    let mut random = Rng::with_seed(SEED);
    for round in 0..scene.rounds {
        scene.say(&format!("{}, round {} of {}", setup.pairs, round + 1, scene.rounds));
        for entry in &mut entries {
            entry.subject.renew().await?;
        }
        for _ in 0..setup.turns {
            for entry in &mut entries {
                let lap = entry.turn().await?;
                boards.add(entry.kind.name, lap, entry.count * setup.connections);
            }
            // So that nobody is always behind the same neighbour.
            random.shuffle(&mut entries);
        }
    }
    boards.keep(scene);
    Ok(())
}

struct Boards {
    pairs: Board,
    cpu: Board,
}

impl Boards {
    fn new(setup: &Setup) -> Self {
        let [pairs, cpu] = [(setup.pairs, "1/s"), (setup.cpu, "µs")]
            .map(|(name, unit)| Board::new(name, unit).against(setup.baseline));
        Self { pairs, cpu }
    }

    fn add(&mut self, name: &'static str, lap: Lap, count: u32) {
        let count = f64::from(count);
        self.pairs.add(name, count / lap.wall.as_secs_f64());
        self.cpu.add(name, micros(lap.cpu) / count);
    }

    fn keep(&mut self, scene: &mut Scene) {
        scene.keep(&mut self.pairs, Fold::Median);
        scene.keep(&mut self.cpu, Fold::Median);
    }
}

async fn connect(scene: &Scene, setup: &Setup) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut kinds = (setup.kinds)(scene);
    // Oracle's stand-in has no wire.
    if scene.place.database != Database::Oracle {
        kinds.push(LOOPBACK);
    }
    for kind in kinds {
        scene.say(&format!("connecting {}", kind.name));
        entries.push(Entry::connect(kind, scene.place, setup).await?);
    }
    Ok(entries)
}

/// How many pairs fit into a turn of so many seconds when [`FIRST`] of them take so long.
fn count(first: Duration, turn: f64) -> u32 {
    let turn = Duration::from_secs_f64(turn).as_micros() * u128::from(FIRST);
    u32::try_from(turn / first.as_micros().max(1)).unwrap_or(u32::MAX).clamp(5, 20_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::count;

    #[test]
    fn a_turn_has_as_many_pairs_as_fit() {
        assert_eq!(count(Duration::from_millis(30), 0.06), 60);
        assert_eq!(count(Duration::from_secs(30), 0.06), 5);
        assert_eq!(count(Duration::ZERO, 0.06), 20_000);
    }
}
