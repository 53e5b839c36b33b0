//! How do I test code that locks, without a server?
//!
//! `cargo run --example in_memory --features memory`
//!
//! The code below runs over any server, and here over a database made of memory, which fails on order. With
//! `-- unlocked` the same test finds the fault.

use dlock_db::memory::Database;
use dlock_db::{Driver, KeyError, Locks, LocksError};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use tokio::time::sleep;

/// What is tested: seats that are sold by looking, thinking, and taking.
struct Seats {
    left: AtomicU32,
    /// How long a buyer thinks.
    thought: Duration,
}

impl Seats {
    async fn sell<D>(&self, locks: &Locks<D>) -> Result<bool, LocksError<D::Error>>
    where
        D: Driver<Key: TryFrom<&'static str, Error: Into<KeyError>>>,
    {
        if std::env::args().any(|it| it == "unlocked") {
            return Ok(self.take().await);
        }
        let held = locks.lock("seats").await?;
        let sold = held.run_until_lost(self.take()).await?;
        held.release().await?;
        Ok(sold)
    }

    async fn take(&self) -> bool {
        let left = self.left.load(SeqCst);
        sleep(self.thought).await;
        if left > 0 {
            self.left.store(left - 1, SeqCst);
        }
        left > 0
    }
}

async fn no_seat_is_sold_twice(database: &Database) -> anyhow::Result<()> {
    let (here, elsewhere) = (database.locks(), database.locks()); // as of two processes
    let seats = Seats { left: AtomicU32::new(2), thought: Duration::from_millis(5) };
    let (a, b, c, d) = tokio::join!(
        seats.sell(&here),
        seats.sell(&elsewhere),
        seats.sell(&here),
        seats.sell(&elsewhere),
    );
    let sold = [a?, b?, c?, d?].into_iter().filter(|sold| *sold).count();
    anyhow::ensure!(sold == 2, "{sold} of 2 seats were sold");
    Ok(())
}

/// When the lock is lost midway, nobody is told that a seat is his.
async fn a_loss_is_an_error(database: &Database) -> anyhow::Result<()> {
    let locks = database.locks();
    let seats = Seats { left: AtomicU32::new(1), thought: Duration::from_secs(5) };
    let kill = async {
        while database.holders("seats") == 0 {
            tokio::task::yield_now().await;
        }
        database.kill("seats"); // as an administrator would
    };
    let (sold, ()) = tokio::join!(seats.sell(&locks), kill);
    anyhow::ensure!(matches!(sold, Err(LocksError::Lost(_))), "{sold:?}");
    anyhow::ensure!(seats.left.load(SeqCst) == 1, "a seat is gone");
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let database = Database::new();
    no_seat_is_sold_twice(&database).await?;
    a_loss_is_an_error(&database).await?;
    println!("both tests hold");
    Ok(())
}
