//! A writer among readers who overlap, and hold longer than it waits at a time.

use crate::bench::Bench;
use dlock_oracle::Locks;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Longer than a slice.
const READ: Duration = Duration::from_millis(1300);

async fn read(locks: Locks, is_over: Arc<AtomicBool>) {
    let shared = locks.key("among readers k").expect("a key").shared();
    while !is_over.load(Ordering::SeqCst) {
        let held = shared.lock().await.expect("a lock");
        tokio::time::sleep(READ).await;
        held.release().await.expect("a release");
    }
}

pub(crate) async fn among_readers() {
    let bench = Bench::new("writer among readers");
    let processes = [bench.locks(), bench.locks(), bench.locks()];
    let is_over = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for number in 0..6 {
        readers.push(tokio::spawn(read(processes[number % 2].clone(), Arc::clone(&is_over))));
        tokio::time::sleep(READ / 6).await;
    }
    for _ in 0..3 {
        let begun = Instant::now();
        let held = processes[2].lock("among readers k").await.expect("a lock");
        println!("the writer waited {:?}", begun.elapsed());
        assert!(begun.elapsed() < READ * 4, "{:?}", begun.elapsed());
        held.release().await.expect("a release");
    }
    is_over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.expect("no panic");
    }
}
