//! Round trips and bytes, counted by a proxy: exact figures on any machine.

use anyhow::Result;
use dlock_testkit::proxy::Proxy;

use super::{ACQUIRE_TRIPS, PAIR_BYTES, PAIR_TRIPS, RELEASE_TRIPS, Scene};
use crate::board::{Board, Fold};
use crate::place::Place;
use crate::subject::{Kind, Subject};

/// So many acquires and releases; a figure that is no whole number shows a subject that varies.
const COUNT: u32 = 20;

const PAIR: [(&str, &str); 2] = [(PAIR_TRIPS, ""), (PAIR_BYTES, "B")];
const WHOLE: [(&str, &str); 4] =
    [(ACQUIRE_TRIPS, ""), ("acquire: bytes", "B"), (RELEASE_TRIPS, ""), ("release: bytes", "B")];

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let mut pair = PAIR.map(|(name, unit)| Board::new(name, unit));
    let mut whole = WHOLE.map(|(name, unit)| Board::new(name, unit));
    for kind in scene.kinds.clone() {
        scene.say(&format!("round trips of {}", kind.name));
        let mut tap = Tap::open(scene.place, kind).await?;
        add(&mut pair, kind, tap.pairs().await?);
        if kind.is_whole {
            add(&mut whole, kind, tap.halves().await?);
        }
    }
    for board in pair.iter_mut().chain(&mut whole) {
        scene.keep(board, Fold::Median);
    }
    Ok(())
}

fn add<const N: usize>(boards: &mut [Board; N], kind: Kind, counts: [u32; N]) {
    for (board, count) in boards.iter_mut().zip(counts) {
        board.add(kind.name, f64::from(count) / f64::from(COUNT));
    }
}

/// A subject behind a proxy that counts.
struct Tap {
    proxy: Proxy,
    subject: Box<dyn Subject>,
}

impl Tap {
    async fn open(place: Place, kind: Kind) -> Result<Self> {
        let proxy = Proxy::start(place.address())?;
        let mut subject = kind.connect(place.through(proxy.addr()), 1).await?;
        // What is prepared in the first uses is not counted.
        subject.pairs(4).await?;
        Ok(Self { proxy, subject })
    }

    /// Round trips and bytes of all pairs.
    async fn pairs(&mut self) -> Result<[u32; 2]> {
        self.proxy.reset();
        self.subject.pairs(COUNT).await?;
        Ok(self.tally())
    }

    /// Round trips and bytes of all acquires, then of all releases.
    async fn halves(&mut self) -> Result<[u32; 4]> {
        let mut total = [0; 4];
        for _ in 0..COUNT {
            self.proxy.reset();
            self.subject.acquire().await?;
            let [trips, bytes] = self.tally();
            self.proxy.reset();
            self.subject.release().await?;
            let [more, others] = self.tally();
            let counts = [trips, bytes, more, others];
            total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        Ok(total)
    }

    fn tally(&self) -> [u32; 2] {
        let bytes = self.proxy.bytes_up() + self.proxy.bytes_down();
        [self.proxy.round_trips(), bytes].map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{COUNT, Tap};
    use crate::place::Database;
    use crate::server::Server;
    use crate::subject::{LENT, OWNED, PREPARED, RAW, RAW_LATER, RAW_PREPARED, kinds};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_raw_driver_sends_what_a_lock_sends() {
        for (database, pair) in [
            (Database::Postgres, [RAW, LENT]),
            (Database::Mariadb, [RAW, LENT]),
            (Database::Mariadb, [RAW_LATER, OWNED]),
            (Database::Mariadb, [RAW_PREPARED, PREPARED]),
        ] {
            let server = Server::start(database).expect("a server");
            let place = server.place().expect("an address");
            let mut counts = Vec::new();
            for kind in kinds(database, false).into_iter().filter(|it| pair.contains(&it.name)) {
                let mut tap = Tap::open(place, kind).await.expect("a subject");
                let pairs = tokio::time::timeout(Duration::from_secs(20), tap.pairs()).await;
                counts.push(pairs.expect("in time").expect("pairs"));
            }
            assert_eq!(counts.len(), 2);
            assert_eq!(counts[0], counts[1], "round trips and bytes of {pair:?} on {database:?}");
            assert_eq!(counts[0][0], 2 * COUNT, "one round trip each way");
        }
    }
}
