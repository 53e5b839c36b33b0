//! From a holder's release to its waiter's return.

use anyhow::Result;

use super::{HAND_OVER, Scene, micros};
use crate::board::{Board, Fold};
use crate::subject::RAW;

/// How far the baseline is from itself shows what the ratios are worth.
const AGAIN: &str = "raw driver, once more";

/// Hand-overs for each round that other measures have.
const EACH: u32 = 15;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut subjects = Vec::new();
    let kinds = scene.whole();
    let again = kinds.iter().filter(|kind| kind.name == RAW).map(|kind| (AGAIN, *kind));
    for (name, kind) in kinds.iter().map(|kind| (kind.name, *kind)).chain(again) {
        subjects.push((name, kind.connect(scene.place, 1).await?));
    }
    let mut median = Board::new(HAND_OVER, "µs");
    let mut p99 = Board::new("hand-over, 99th percentile", "µs");
    let rounds = scene.rounds * EACH;
    for round in 0..rounds {
        scene.say(&format!("hand-over {} of {rounds}", round + 1));
        // One at a time, forwards and backwards: turns of many agree with each other more than with the
        // same subject's next.
        subjects.reverse();
        for (name, subject) in &mut subjects {
            let took = micros(subject.hand_over(&mut scene.eye).await?);
            median.add(name, took);
            p99.add(name, took);
        }
    }
    scene.keep(&mut median, Fold::Median);
    scene.keep(&mut p99, Fold::P99);
    Ok(())
}
