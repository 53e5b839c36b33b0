//! A function that is generic over the database.

use crate::{in_time, locks};
use dlock_db::memory::Database;
use dlock_db::{Driver, KeyError, Locks, LocksError, Wait};
use std::cell::Cell;

// lock
async fn bump<D>(locks: &Locks<D>, counter: &Cell<u32>) -> Result<(), LocksError<D::Error>>
where
    D: Driver<Key: TryFrom<&'static str, Error: Into<KeyError>>>,
{
    locks.with("program:counter", Wait::Forever, async |_| add(counter).await).await
}
// end

async fn add(counter: &Cell<u32>) {
    let before = counter.get();
    tokio::task::yield_now().await;
    counter.set(before + 1);
}

#[tokio::test]
async fn over_two_databases() {
    let (memory, postgres, counter) = (Database::new().locks(), locks().await, Cell::new(0));
    in_time(bump(&memory, &counter)).await.expect("a lock");
    let (one, other) =
        in_time(async { tokio::join!(bump(&postgres, &counter), bump(&postgres, &counter)) }).await;
    one.and(other).expect("locks");
    assert_eq!(counter.get(), 3);
}
