//! What a waiter allocates in the client.

use anyhow::Result;

use super::Scene;
use crate::board::{Board, Fold};

const TRIES: u32 = 1;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut board = Board::new("memory of a waiter", "B");
    for kind in scene.whole() {
        scene.say(&format!("memory of {}", kind.name));
        for _ in 0..TRIES {
            let mut subject = kind.connect(scene.place, 1).await?;
            subject.pairs(2).await?;
            match subject.memory(&mut scene.eye).await? {
                Some(bytes) => board.add(kind.name, f64::from(i32::try_from(bytes)?)),
                None => board.note(kind.name, "another process"),
            }
        }
    }
    scene.keep(&mut board, Fold::Median);
    Ok(())
}
