//! Any order of calls, each dropped after any number of polls, over a database made of memory: two
//! locks are never locked on one key, each says what the server says, and nothing stays behind.

#![no_main]

use dlock_core::{Lock, Wait};
use dlock_testkit::bed::Bed;
use dlock_testkit::memory::{ByArc, Kind, MemoryBed, Moved, Owned};
use dlock_testkit::polled::polled;
use libfuzzer_sys::fuzz_target;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::{sleep, timeout};

const KEYS: [&str; 2] = ["one", "other"];
/// Of a clock that jumps to whatever is awaited next: it comes only where nothing else will.
const NEVER: Duration = Duration::from_secs(100_000);
const A_MOMENT: Duration = Duration::from_millis(50);
const A_WHILE: Duration = Duration::from_secs(10);

fuzz_target!(|data: &[u8]| {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let Some((kind, steps)) = data.split_first() else { return };
    let run = async {
        match kind % 3 {
            0 => run::<Owned>(steps).await,
            1 => run::<ByArc>(steps).await,
            _ => run::<Moved>(steps).await,
        }
    };
    runtime.block_on(async { timeout(NEVER, run).await }).expect("an end");
});

/// Three locks on each key, each over a session of its own.
struct Stage<K: Kind> {
    bed: MemoryBed<K>,
    locks: Vec<(&'static str, Lock<K::Raw>)>,
}

async fn run<K: Kind>(steps: &[u8]) {
    let mut stage = Stage::<K> { bed: MemoryBed::new().await, locks: Vec::new() };
    for key in KEYS.repeat(3) {
        stage.locks.push((key, stage.bed.lock(key).await));
    }
    for step in steps.chunks_exact(2) {
        stage.step(usize::from(step[0]), step[1]).await;
        stage.check().await;
    }
    stage.end().await;
}

impl<K: Kind> Stage<K> {
    async fn step(&mut self, what: usize, how: u8) {
        let (count, polls) = (self.locks.len(), usize::from(how % 16));
        let (key, lock) = &mut self.locks[what % count];
        match what / count % 8 {
            0 => drop(polled(lock.acquire(Wait::No), polls).await),
            1 => drop(polled(lock.acquire(Duration::from_millis(20)), polls).await),
            // Nobody may ever poll it again.
            2 => drop(timeout(A_MOMENT, polled(lock.acquire(Wait::Forever), polls)).await),
            3 => drop(polled(lock.release(), polls).await),
            4 => drop(polled(lock.close(), polls).await),
            5 => drop(polled(lock.with(Wait::No, async |_| ()), polls).await),
            6 => sleep(Duration::from_millis(how.into())).await,
            _ => {
                let key = *key;
                self.kill(key).await;
            }
        }
    }

    /// Those who held or awaited the key learn it with their next call: there are new ones for all.
    async fn kill(&mut self, key: &'static str) {
        self.bed.kill(key).await;
        for (other, lock) in &mut self.locks {
            if *other == key {
                *lock = self.bed.lock(key).await;
            }
        }
    }

    /// A locked lock is held on the server, and alone.
    async fn check(&self) {
        for key in KEYS {
            let locked =
                self.locks.iter().filter(|(other, lock)| *other == key && lock.is_locked());
            let locked = locked.count();
            assert!(locked <= 1 && self.bed.holders(key).await >= locked, "{key}: {locked} locked");
        }
    }

    /// Everybody lets go: nobody holds a key, and nobody waits, with every session still there.
    async fn end(mut self) {
        sleep(A_WHILE).await;
        for (_, lock) in &mut self.locks {
            lock.close().await.expect("a lock lets go");
            assert!(!lock.is_locked());
        }
        for key in KEYS {
            assert_eq!((self.bed.holders(key).await, self.bed.waiters(key).await), (0, 0), "{key}");
        }
    }
}
