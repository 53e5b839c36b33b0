//! From a holder's release to its waiter's return.

use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;

use super::{HAND_OVER, SEED, Scene, micros};
use crate::board::{Board, Fold};
use crate::subject::{RAW, Subject};

/// How far the baseline is from itself shows what the ratios are worth.
const AGAIN: &str = "raw driver, once more";

/// Turns for each round that other measures have.
const EACH: u32 = 40;

type Named = (&'static str, Box<dyn Subject>);

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut subjects = connect(scene).await?;
    let mut boards = Boards::new();
    let mut random = Rng::with_seed(SEED);
    let rounds = scene.rounds * EACH;
    for round in 0..rounds {
        scene.say(&format!("hand-over {} of {rounds}", round + 1));
        for (name, subject) in &mut subjects {
            boards.add(name, subject.hand_overs(&mut scene.eye).await?);
        }
        // What ran before leaves its code in the caches.
        random.shuffle(&mut subjects);
    }
    boards.keep(scene);
    Ok(())
}

async fn connect(scene: &Scene) -> Result<Vec<Named>> {
    let kinds = scene.whole();
    let again = kinds.iter().filter(|kind| kind.name == RAW).map(|kind| (AGAIN, *kind));
    let mut subjects = Vec::new();
    for (name, kind) in kinds.iter().map(|kind| (kind.name, *kind)).chain(again) {
        subjects.push((name, kind.connect(scene.place, 1).await?));
    }
    Ok(subjects)
}

struct Boards {
    first: Board,
    median: Board,
    p99: Board,
}

impl Boards {
    fn new() -> Self {
        let [first, median, p99] =
            ["first hand-over, median", HAND_OVER, "hand-over, 99th percentile"]
                .map(|it| Board::new(it, "µs"));
        Self { first, median, p99 }
    }

    fn add(&mut self, name: &'static str, [first, again]: [Duration; 2]) {
        self.first.add(name, micros(first));
        self.median.add(name, micros(again));
        self.p99.add(name, micros(again));
    }

    fn keep(&mut self, scene: &mut Scene) {
        scene.keep(&mut self.median, Fold::Median);
        scene.keep(&mut self.p99, Fold::P99);
        scene.keep(&mut self.first, Fold::Median);
    }
}
