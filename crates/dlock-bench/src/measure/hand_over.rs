//! From a holder's release to its waiter's return.

use anyhow::Result;

use super::{HAND_OVER, Scene, micros};
use crate::board::{Board, Fold};

/// Hand-overs in a turn.
const TURN: u32 = 15;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut subjects = Vec::new();
    for kind in scene.whole() {
        subjects.push((kind.name, kind.connect(scene.place, 1).await?));
    }
    let mut median = Board::new(HAND_OVER, "µs");
    let mut p99 = Board::new("hand-over, 99th percentile", "µs");
    for round in 0..scene.rounds {
        scene.say(&format!("hand-over, round {} of {}", round + 1, scene.rounds));
        // Forwards and backwards, as pairs.
        subjects.reverse();
        for (name, subject) in &mut subjects {
            for _ in 0..TURN {
                let took = micros(subject.hand_over(&mut scene.eye).await?);
                median.add(name, took);
                p99.add(name, took);
            }
        }
    }
    scene.keep(&mut median, Fold::Median);
    scene.keep(&mut p99, Fold::P99);
    Ok(())
}
