//! How long the server remembers a wait that was dropped.

use std::time::Duration;

use anyhow::Result;

use super::{Scene, millis};
use crate::board::{Board, Fold};

const TRIES: u32 = 7;
/// Then it is not waited for any longer.
const LIMIT: Duration = Duration::from_secs(2);

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut board = Board::new("a dropped wait is forgotten after", "ms");
    for kind in scene.whole() {
        let mut subject = kind.connect(scene.place, 1).await?;
        for round in 0..TRIES {
            scene.say(&format!("dropped wait {} of {TRIES}, {}", round + 1, kind.name));
            match subject.dropped(&mut scene.eye, LIMIT).await {
                Ok(Some(took)) => board.add(kind.name, millis(took)),
                Ok(None) => {
                    board.note(kind.name, "not within 2 s: it waits on in the server");
                    break;
                }
                Err(error) if kind.is_peer() => {
                    board.note(kind.name, format!("fails: {}", error.root_cause()));
                    break;
                }
                Err(error) => return Err(error.context(kind.name)),
            }
        }
    }
    scene.keep(&mut board, Fold::Median);
    Ok(())
}
