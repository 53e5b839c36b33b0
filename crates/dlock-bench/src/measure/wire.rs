//! Round trips and bytes, counted by a proxy: exact figures on any machine.

use anyhow::Result;
use dlock_testkit::proxy::Proxy;

use super::Scene;
use crate::board::{Board, Fold};
use crate::subject::Kind;

/// So many acquires and releases; a figure that is no whole number shows a subject that varies.
const COUNT: u32 = 20;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let names =
        ["acquire: round trips", "acquire: bytes", "release: round trips", "release: bytes"];
    let mut boards = names.map(|name| Board::new(name, unit(name)));
    for kind in scene.whole() {
        scene.say(&format!("round trips of {}", kind.name));
        let counts = count(scene, kind).await?;
        for (board, count) in boards.iter_mut().zip(counts) {
            board.add(kind.name, count);
        }
    }
    for board in &mut boards {
        scene.keep(board, Fold::Median);
    }
    Ok(())
}

fn unit(name: &str) -> &'static str {
    if name.ends_with("bytes") { "B" } else { "" }
}

async fn count(scene: &Scene, kind: Kind) -> Result<[f64; 4]> {
    let proxy = Proxy::start(scene.place.address())?;
    let mut subject = kind.connect(scene.place.through(proxy.addr()), 1).await?;
    // What is prepared on first use is not counted.
    subject.pairs(2).await?;
    let mut total = [0; 4];
    for _ in 0..COUNT {
        proxy.reset();
        subject.acquire().await?;
        let acquire = tally(&proxy);
        proxy.reset();
        subject.release().await?;
        let counts = [acquire, tally(&proxy)].concat();
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    Ok(total.map(|sum| f64::from(sum) / f64::from(COUNT)))
}

fn tally(proxy: &Proxy) -> [u32; 2] {
    let bytes = proxy.bytes_up() + proxy.bytes_down();
    [proxy.round_trips(), bytes].map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}
