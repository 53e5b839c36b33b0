//! Breaks: those that a dropped wait sends, and those of others.

use crate::bench::{Bench, echo, run};
use dlock_core::Wait;
use dlock_oracle::{Error, Lock, Mode, Share};
use futures::future::join;
use oracle::Connection;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a break at the session.
fn set_breaks(connection: &Connection, how: &str) {
    run(connection, &format!("alter session set \"_standin_break\" = '{how}'"));
}

/// Drops a wait once the server shows it.
async fn drop_wait<S: Share>(bench: &Bench, lock: &mut Lock<S>) {
    let shown = async {
        bench.until("k", (1, 1)).await;
    };
    tokio::select! {
        answer = lock.acquire(Wait::Forever) => panic!("held elsewhere: {answer:?}"),
        () = shown => {}
    }
}

/// Heard at once: the waiter is gone within a second, and the session answers.
pub(crate) async fn prompt() {
    let bench = Bench::new("break-prompt");
    let session = bench.shared();
    let (mut holder, mut lock) = (bench.lock("k"), Lock::new(Arc::clone(&session), "k").unwrap());
    assert!(holder.acquire(Wait::No).await.unwrap());
    drop_wait(&bench, &mut lock).await;
    let took = bench.until("k", (1, 0)).await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    lock.close().await.unwrap();
    echo(&session, 9);
}

/// A wait that is dropped while a statement of the caller's still runs does not break that off.
pub(crate) async fn spares_the_callers_statement() {
    let bench = Bench::new("break-spares");
    let session = bench.shared();
    let (mut holder, mut lock) = (bench.lock("k"), Lock::new(Arc::clone(&session), "k").unwrap());
    assert!(holder.acquire(Wait::No).await.unwrap());
    let statement = tokio::task::spawn_blocking({
        let session = Arc::clone(&session);
        move || session.execute("begin dbms_lock.sleep(1); end;", &[]).map(drop)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let wait = tokio::time::timeout(Duration::from_millis(100), lock.acquire(Wait::Forever)).await;
    assert!(wait.is_err());
    statement.await.unwrap().expect("a statement of the caller's");
    lock.close().await.unwrap();
    assert_eq!(bench.seen("k"), (1, 0));
}

/// Heard only when the work is done: the error hides a grant, which is released.
pub(crate) async fn late() {
    let bench = Bench::new("break-late");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    set_breaks(lock.session().unwrap(), "late");
    assert!(holder.acquire(Wait::No).await.unwrap());
    drop_wait(&bench, &mut lock).await;
    assert_eq!(bench.seen("k"), (1, 1));
    holder.release().await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
    echo(lock.session().unwrap(), 10);
}

/// Never heard: the wait ends with its slice.
pub(crate) async fn ignored() {
    let bench = Bench::new("break-ignored");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    set_breaks(lock.session().unwrap(), "ignored");
    assert!(holder.acquire(Wait::No).await.unwrap());
    drop_wait(&bench, &mut lock).await;
    let took = bench.until("k", (1, 0)).await;
    assert!(took < Duration::from_millis(5500), "{took:?}");
    lock.close().await.unwrap();
    echo(lock.session().unwrap(), 11);
    holder.release().await.unwrap();
    assert!(lock.acquire(Wait::No).await.unwrap());
}

/// It misses the wait, which runs out, and does not meet a statement of the caller's either.
pub(crate) async fn stray() {
    let bench = Bench::new("break-stray");
    let (mut holder, mut lock) = (bench.lock("k"), bench.lock("k"));
    set_breaks(lock.session().unwrap(), "stray");
    assert!(holder.acquire(Wait::No).await.unwrap());
    let wait = lock.acquire(Duration::from_millis(1100));
    tokio::time::timeout(Duration::from_millis(50), wait).await.expect_err("held elsewhere");
    lock.close().await.unwrap();
    echo(lock.session().unwrap(), 14);
    assert_eq!(bench.seen("k"), (1, 0));
}

async fn broken_by_someone_else(name: &str, how: &str) {
    let bench = Bench::new(name);
    let session = bench.shared();
    set_breaks(&session, how);
    let (mut holder, mut lock) = (bench.lock("k"), Lock::new(Arc::clone(&session), "k").unwrap());
    assert!(holder.acquire(Wait::No).await.unwrap());
    let interrupt = async {
        bench.until("k", (1, 1)).await;
        session.break_execution().unwrap();
        holder.release().await.unwrap();
    };
    let (answer, ()) = join(lock.acquire(Wait::Forever), interrupt).await;
    let granted = matches!(answer, Ok(true));
    assert!(granted || matches!(answer, Err(Error::Interrupted(Some(_)))), "{answer:?}");
    assert_eq!(bench.seen("k"), (usize::from(granted), 0));
    echo(&session, 12);
    lock.close().await.unwrap();
}

pub(crate) async fn by_someone_else() {
    broken_by_someone_else("break-else", "prompt").await;
}

pub(crate) async fn by_someone_else_late() {
    broken_by_someone_else("break-else-late", "late").await;
}

/// A conversion that was granted, though a break said otherwise, is taken back.
pub(crate) async fn of_a_conversion() {
    let bench = Bench::new("break-convert");
    let session = bench.shared();
    let mut lock = Lock::new(Arc::clone(&session), "k").unwrap().shared();
    let mut other = bench.lock("k").shared();
    assert!(lock.acquire(Wait::No).await.unwrap());
    for how in ["prompt", "late"] {
        set_breaks(&session, how);
        assert!(other.acquire(Wait::No).await.unwrap());
        let interrupt = async {
            bench.until("k", (2, 1)).await;
            session.break_execution().unwrap();
            other.release().await.unwrap();
        };
        let (answer, ()) = join(lock.convert(Mode::X, Wait::Forever), interrupt).await;
        assert!(matches!(answer, Err(Error::Interrupted(Some(_)))), "{how}: {answer:?}");
        assert!(lock.is_locked() && lock.mode() == Mode::S);
        assert!(other.acquire(Wait::No).await.unwrap(), "{how}: shared, as it was");
        other.release().await.unwrap();
    }
    lock.release().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
}

/// A release that a break has hit is made again.
pub(crate) async fn of_a_release() {
    let bench = Bench::new("break-release");
    for how in ["prompt", "late", "stray"] {
        let mut lock = bench.lock("k");
        assert!(lock.acquire(Wait::No).await.unwrap());
        set_breaks(lock.session().unwrap(), how);
        lock.session().unwrap().break_execution().unwrap();
        lock.release().await.unwrap();
        assert_eq!(bench.seen("k"), (0, 0), "{how}");
        echo(lock.session().unwrap(), 13);
    }
}

/// Waits dropped at any time while the key changes hands: nothing stays held, nobody stays in the
/// queue, and the next statement of the caller's gets its own answer.
async fn at_random<S: Share>(name: &str, how: &str, rounds: u64, share: fn(Connection) -> S) {
    let bench = Bench::new(name);
    let mut holder = bench.lock("k");
    let connection = bench.connect();
    set_breaks(&connection, how);
    let mut lock = Lock::new(share(connection), "k").unwrap();
    for round in 0..rounds {
        assert!(holder.acquire(Wait::Forever).await.unwrap());
        let (release_after, drop_after) = (round * 37 % 1000, round * 53 % 1200);
        let release = async {
            tokio::time::sleep(Duration::from_micros(release_after)).await;
            holder.release().await.unwrap();
        };
        let wait =
            tokio::time::timeout(Duration::from_micros(drop_after), lock.acquire(Wait::Forever));
        let (waited, ()) = join(wait, release).await;
        assert!(!matches!(waited, Ok(Err(_))), "{waited:?}");
        lock.close().await.unwrap();
        assert_eq!(bench.seen("k"), (0, 0), "round {round}");
        echo(lock.session().unwrap(), i64::try_from(round).unwrap());
    }
}

async fn at_random_over_both(how: &str, rounds: u64) {
    at_random(&format!("random-{how}-owned"), how, rounds, |connection| connection).await;
    at_random(&format!("random-{how}-shared"), how, rounds, Arc::new).await;
}

pub(crate) async fn at_random_prompt() {
    at_random_over_both("prompt", 500).await;
}

pub(crate) async fn at_random_late() {
    at_random_over_both("late", 500).await;
}

pub(crate) async fn at_random_stray() {
    at_random_over_both("stray", 500).await;
}

pub(crate) async fn at_random_ignored() {
    at_random_over_both("ignored", 500).await;
}
