//! How much later than asked for a bounded wait ends.

use std::time::Duration;

use anyhow::Result;

use super::{Scene, millis};
use crate::board::{Board, Fold};
use crate::statements::LIMITS;

const TRIES: u32 = 5;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut subjects = Vec::new();
    for kind in scene.whole() {
        subjects.push((kind, kind.connect(scene.place, 1).await?));
    }
    for limit in LIMITS {
        scene.say(&format!("time-outs of {} ms", limit.as_millis()));
        let what = format!("a {} ms time-out is late by", limit.as_millis());
        let mut board = Board::new(what, "ms").without_ratios();
        for _ in 0..TRIES {
            for (kind, subject) in &mut subjects {
                match subject.time_out(limit).await {
                    Ok(Some(took)) => board.add(kind.name, late(took, limit)),
                    Ok(None) => board.note(kind.name, "has no bounded wait"),
                    Err(error) if kind.is_peer() => {
                        board.note(kind.name, format!("fails: {}", error.root_cause()));
                        *subject = kind.connect(scene.place, 1).await?;
                    }
                    Err(error) => return Err(error.context(kind.name)),
                }
            }
        }
        scene.keep(&mut board, Fold::Median);
    }
    Ok(())
}

/// Negative for one that gave up too early.
fn late(took: Duration, limit: Duration) -> f64 {
    millis(took) - millis(limit)
}
