//! Uncontended acquires and releases, and the processor time that they cost the client.

use std::time::Duration;

use anyhow::Result;

use super::{Scene, micros};
use crate::board::{Board, Fold};
use crate::subject::{Kind, Subject};

/// How long a subject's turn in a round is, about.
const TURN: f64 = 0.06;
const FIRST: u32 = 30;

struct Entry {
    kind: Kind,
    subject: Box<dyn Subject>,
    /// How many pairs a turn has, on each connection.
    count: u32,
}

/// Measures with so many connections at once.
pub(super) async fn measure(scene: &mut Scene, connections: u32) -> Result<()> {
    let many = if connections == 1 { "1 connection" } else { "8 connections" };
    let mut entries = connect(scene, connections).await?;
    let mut pairs = Board::new(format!("pairs, {many}"), "1/s");
    let mut cpu = Board::new(format!("client CPU per pair, {many}"), "µs");
    for round in 0..scene.rounds {
        scene.say(&format!("pairs, {many}, round {} of {}", round + 1, scene.rounds));
        // Forwards and backwards, so that nobody is always behind the same neighbour.
        entries.reverse();
        for entry in &mut entries {
            entry.subject.renew().await?;
            let lap = entry.subject.pairs(entry.count).await?;
            let done = f64::from(entry.count * connections);
            pairs.add(entry.kind.name, done / lap.wall.as_secs_f64());
            cpu.add(entry.kind.name, micros(lap.cpu) / done);
        }
    }
    scene.keep(&mut pairs, Fold::Median);
    scene.keep(&mut cpu, Fold::Median);
    Ok(())
}

async fn connect(scene: &Scene, connections: u32) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for kind in scene.kinds.iter().copied() {
        scene.say(&format!("connecting {}", kind.name));
        let mut subject = kind.connect(scene.place, connections).await?;
        subject.pairs(FIRST).await?;
        let first = subject.pairs(FIRST).await?;
        entries.push(Entry { kind, subject, count: count(first.wall) });
    }
    // They are reversed before each round.
    entries.reverse();
    Ok(entries)
}

/// How many pairs fit into a turn when [`FIRST`] of them take so long.
fn count(first: Duration) -> u32 {
    let turn = Duration::from_secs_f64(TURN).as_micros() * u128::from(FIRST);
    u32::try_from(turn / first.as_micros().max(1)).unwrap_or(u32::MAX).clamp(5, 20_000)
}
