//! A writer among readers who overlap and hold for longer than a slice.

use crate::{address, client, config, in_time, locks, ms, towards};
use dlock_core::Wait;
use dlock_postgres::{Key, Lock, Locks};
use dlock_testkit::proxy::Proxy;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

struct Readers {
    is_over: AtomicBool,
    turns: AtomicUsize,
    inside: AtomicUsize,
}

async fn read(locks: &Locks, key: &Key, number: u32, readers: &Readers) {
    tokio::time::sleep(ms(375) * number).await;
    while !readers.is_over.load(Ordering::SeqCst) {
        let request = locks.key(key).expect("a key").shared();
        let held = in_time(request.lock()).await.expect("a lock");
        readers.inside.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(ms(1500)).await;
        readers.inside.fetch_sub(1, Ordering::SeqCst);
        readers.turns.fetch_add(1, Ordering::SeqCst);
        held.release().await.expect("a release");
    }
}

/// Four readers of as many processes, so that one process does not keep them in order.
async fn a_writer_gets_in(key: Key) {
    let processes = ["r0", "r1", "r2", "r3"].map(|name| locks(config(), name));
    let writer = locks(config(), "writer");
    let readers = Readers {
        is_over: AtomicBool::new(false),
        turns: AtomicUsize::new(0),
        inside: AtomicUsize::new(0),
    };
    let write = async {
        tokio::time::sleep(ms(2000)).await;
        for _ in 0..2 {
            let asked = Instant::now();
            let held = writer.lock_within(&key, Duration::from_secs(20)).await.expect("a turn");
            println!("a writer among readers got in after {:?}", asked.elapsed());
            assert_eq!(readers.inside.load(Ordering::SeqCst), 0);
            assert!(asked.elapsed() < ms(6000), "{:?}", asked.elapsed());
            tokio::time::sleep(ms(100)).await;
            assert_eq!(readers.inside.load(Ordering::SeqCst), 0);
            held.release().await.expect("a release");
        }
        readers.is_over.store(true, Ordering::SeqCst);
    };
    let [a, b, c, d] = &processes;
    in_time(async {
        tokio::join!(
            read(a, &key, 0, &readers),
            read(b, &key, 1, &readers),
            read(c, &key, 2, &readers),
            read(d, &key, 3, &readers),
            write
        )
    })
    .await;
    assert!(readers.turns.load(Ordering::SeqCst) >= 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_among_readers_of_a_number_gets_in() {
    a_writer_gets_in(Key::from("readers of a number")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_among_readers_of_a_pair_gets_in() {
    a_writer_gets_in(Key::from((-73, 1))).await;
}

/// All four in one process, who join its hold.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_of_another_process_gets_in() {
    let (one, writer) = (locks(config(), "readers"), locks(config(), "writer"));
    let key = Key::from("readers of one process");
    let readers = Readers {
        is_over: AtomicBool::new(false),
        turns: AtomicUsize::new(0),
        inside: AtomicUsize::new(0),
    };
    let write = async {
        tokio::time::sleep(ms(2000)).await;
        let asked = Instant::now();
        let held = writer.lock_within(&key, Duration::from_secs(20)).await.expect("a turn");
        println!("a writer among readers of one process got in after {:?}", asked.elapsed());
        assert!(asked.elapsed() < ms(6000), "{:?}", asked.elapsed());
        assert_eq!(readers.inside.load(Ordering::SeqCst), 0);
        held.release().await.expect("a release");
        readers.is_over.store(true, Ordering::SeqCst);
    };
    in_time(async {
        tokio::join!(
            read(&one, &key, 0, &readers),
            read(&one, &key, 1, &readers),
            read(&one, &key, 2, &readers),
            read(&one, &key, 3, &readers),
            write
        )
    })
    .await;
}

/// A `Lock` knows no turnstile, and excludes and is excluded as before. Nothing of a turnstile stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_beside_them_still_works() {
    let (locks, client) = (locks(config(), "beside"), client().await);
    let key = Key::from("readers and a lock");
    let mut reader = Lock::new(&client, &key).expect("a key").shared();
    assert!(reader.acquire(Wait::No).await.expect("an answer"));
    let shared = locks.key(&key).expect("a key").shared();
    let held = in_time(shared.lock()).await.expect("readers share");
    let waits = tokio::spawn({
        let (locks, key) = (locks.clone(), key.clone());
        async move { locks.lock(&key).await.map(drop) }
    });
    tokio::time::sleep(ms(300)).await;
    assert!(!waits.is_finished());
    held.release().await.expect("a release");
    reader.release().await.expect("a release");
    in_time(waits).await.expect("no panic").expect("the writer's turn");
    let mut writer = Lock::new(&client, &key).expect("a key");
    assert!(writer.acquire(ms(2000)).await.expect("an answer"));
    let refused = in_time(shared.try_lock()).await.expect("an answer");
    assert!(refused.is_none());
    let (granted, ()) = tokio::join!(in_time(shared.lock()), async {
        tokio::time::sleep(ms(300)).await;
        writer.release().await.expect("a release");
    });
    granted.expect("a lock").release().await.expect("a release");
    let left = in_time(locks.holders()).await.expect("holders");
    let ours = left.iter().filter(|it| it.application.as_deref() == Some("beside"));
    assert_eq!(ours.count(), 0, "{left:?}");
}

/// A writer that waits, behind a reader, keeps later readers out. When it is gone they get in: at once where its
/// connection ends, within its lease where it fell silent.
async fn readers_get_in_behind_a_dead_writer(key: &str, kill: impl Fn(&Proxy), limit: Duration) {
    let proxy = Proxy::start(address()).expect("a proxy");
    let [reader, next] = [locks(config(), "reader"), locks(config(), "next")];
    let writer = locks(towards(proxy.addr()), "dead writer");
    let shared = |locks: &Locks| locks.key(key).expect("a key").shared();
    let first = in_time(shared(&reader).lock()).await.expect("a lock");
    let (waits, name) = (writer.clone(), key.to_owned());
    let waiting = tokio::spawn(async move { waits.lock(name).await.map(drop) });
    // It stands in front of the readers of another process from now on.
    while let Some(held) = in_time(shared(&next).try_lock()).await.expect("an answer") {
        held.release().await.expect("a release");
        tokio::task::yield_now().await;
    }
    kill(&proxy);
    let begun = Instant::now();
    let second = in_time(shared(&next).lock()).await.expect("a lock");
    println!("a reader got in {:?} after the writer's death", begun.elapsed());
    assert!(begun.elapsed() < limit, "{:?}", begun.elapsed());
    assert!(!first.is_lost() && !second.is_lost());
    waiting.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_whose_connection_ends_keeps_no_reader_out() {
    let kill = |proxy: &Proxy| {
        proxy.refuse();
        proxy.cut();
    };
    readers_get_in_behind_a_dead_writer("dead writer cut", kill, ms(3000)).await;
}

/// The lease is three seconds, and a slice of the wait may be under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_that_fell_silent_keeps_readers_out_for_a_lease() {
    readers_get_in_behind_a_dead_writer("dead writer silent", Proxy::blackhole, ms(5500)).await;
}
