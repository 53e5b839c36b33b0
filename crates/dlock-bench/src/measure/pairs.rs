//! Uncontended acquires and releases, and the processor time that they cost the client.

use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;

use super::{CPU, PAIRS, PAIRS_OF_EIGHT, SEED, Scene, WAIT_FREE, micros};
use crate::board::{Board, Fold};
use crate::place::{Database, Place};
use crate::subject::{Kind, LOOPBACK, RAW, Subject, TYPED, wait_free};

/// How often each subject has its turn in a round, and how long one is, about: short, so that what
/// slows the machine down for a while slows down all of them.
const TURNS: u32 = 10;
const TURN: f64 = 0.006;
const FIRST: u32 = 30;

/// Which pairs are measured.
pub(super) struct Setup {
    pairs: &'static str,
    cpu: &'static str,
    connections: u32,
    baseline: &'static str,
    kinds: fn(&Scene) -> Vec<Kind>,
}

/// A lock that waits, on one connection.
pub(super) const ONE: Setup = Setup {
    pairs: PAIRS,
    cpu: CPU,
    connections: 1,
    baseline: RAW,
    kinds: |scene| scene.kinds.clone(),
};

/// The same on eight at once.
pub(super) const EIGHT: Setup = Setup {
    pairs: PAIRS_OF_EIGHT,
    cpu: "client CPU per pair, 8 connections",
    connections: 8,
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
    async fn connect(kind: Kind, place: Place, connections: u32) -> Result<Self> {
        let mut subject = kind.connect(place, connections).await?;
        subject.pairs(FIRST).await?;
        let first = subject.pairs(FIRST).await?;
        Ok(Self { kind, subject, count: count(first.wall) })
    }
}

/// Measures what the setup says.
pub(super) async fn measure(scene: &mut Scene, setup: &Setup) -> Result<()> {
    let mut entries = connect(scene, setup).await?;
    let mut pairs = Board::new(setup.pairs, "1/s").against(setup.baseline);
    let mut cpu = Board::new(setup.cpu, "µs").against(setup.baseline);
    let mut random = Rng::with_seed(SEED);
    for round in 0..scene.rounds {
        scene.say(&format!("{}, round {} of {}", setup.pairs, round + 1, scene.rounds));
        for entry in &mut entries {
            entry.subject.renew().await?;
        }
        for _ in 0..TURNS {
            for entry in &mut entries {
                let lap = entry.subject.pairs(entry.count).await?;
                let done = f64::from(entry.count * setup.connections);
                pairs.add(entry.kind.name, done / lap.wall.as_secs_f64());
                cpu.add(entry.kind.name, micros(lap.cpu) / done);
            }
            // What ran before leaves its code in the caches.
            random.shuffle(&mut entries);
        }
    }
    scene.keep(&mut pairs, Fold::Median);
    scene.keep(&mut cpu, Fold::Median);
    Ok(())
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
        entries.push(Entry::connect(kind, scene.place, setup.connections).await?);
    }
    Ok(entries)
}

/// How many pairs fit into a turn when [`FIRST`] of them take so long.
fn count(first: Duration) -> u32 {
    let turn = Duration::from_secs_f64(TURN).as_micros() * u128::from(FIRST);
    u32::try_from(turn / first.as_micros().max(1)).unwrap_or(u32::MAX).clamp(5, 20_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::count;

    #[test]
    fn a_turn_has_as_many_pairs_as_fit() {
        assert_eq!(count(Duration::from_millis(30)), 6);
        assert_eq!(count(Duration::from_secs(30)), 5);
        assert_eq!(count(Duration::ZERO), 20_000);
    }
}
