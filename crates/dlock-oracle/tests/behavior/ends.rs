//! Sessions that are ended by a lock, and what is true of the server then.

use crate::bench::{Bench, echo, run};
use dlock_core::{GRACE, Wait};
use dlock_oracle::{Error, Key, Lock};
use futures::future::poll_immediate;
use oracle::{ConnStatus, Connection};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

const AT_ONCE: Duration = Duration::from_millis(700);

/// A statement of the caller's, on a thread of the caller's, that runs in the server when this returns.
async fn statement(session: &Arc<Connection>, seconds: u32) -> JoinHandle<oracle::Result<()>> {
    let session = Arc::clone(session);
    let text = format!("begin dbms_lock.sleep({seconds}); end;");
    let statement = tokio::task::spawn_blocking(move || session.execute(&text, &[]).map(drop));
    tokio::time::sleep(Duration::from_millis(100)).await;
    statement
}

fn sid(connection: &Connection) -> i64 {
    let text = "select to_number(sys_context('userenv', 'sid')) from dual";
    connection.query_row_as::<i64>(text, &[]).unwrap()
}

async fn is_closed(bench: &Bench, lock: &mut Lock<Arc<Connection>>) {
    assert!(!lock.is_locked() && lock.session().is_none());
    assert_eq!(bench.seen("k"), (0, 0));
    lock.close().await.unwrap();
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
}

/// The caller's own statement is broken off, and the server has let go when the call returns.
pub(crate) async fn what_runs() {
    let bench = Bench::new("ends-running");
    for runs in [true, false] {
        let session = bench.shared();
        let mut lock = Lock::new(Arc::clone(&session), "k").unwrap();
        let guard = lock.lock().await.unwrap();
        let statement = if runs { Some(statement(&session, 20).await) } else { None };
        let start = Instant::now();
        guard.abort().await.unwrap();
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
        is_closed(&bench, &mut lock).await;
        if let Some(statement) = statement {
            statement.await.unwrap().expect_err("broken off");
        }
        assert_eq!(session.status().unwrap(), ConnStatus::Closed);
    }
}

/// The other locks over the session, also those that wait.
pub(crate) async fn for_all_locks() {
    let bench = Bench::new("ends-all");
    let session = bench.shared();
    let over = |key| Lock::new(Arc::clone(&session), key).unwrap();
    let (mut holder, mut waiting, mut held) = (bench.lock("held"), over("held"), over("other"));
    assert!(holder.acquire(Wait::No).await.unwrap() && held.acquire(Wait::No).await.unwrap());
    let guard = over("k").lock_owned().await.unwrap();
    let wait = tokio::spawn(async move { waiting.acquire(Wait::Forever).await });
    bench.until("held", (1, 1)).await;
    let start = Instant::now();
    guard.abort().await.unwrap();
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    let waited = wait.await.unwrap();
    assert!(matches!(waited, Err(Error::Closed | Error::Interrupted(_))), "{waited:?}");
    assert_eq!((bench.seen("held"), bench.seen("other")), ((1, 0), (0, 0)));
    assert!(!held.is_locked());
    assert!(matches!(held.release().await, Err(Error::Lost(_))));
    held.close().await.unwrap();
}

pub(crate) async fn dropped_and_called_again() {
    let bench = Bench::new("ends-dropped");
    let session = bench.shared();
    let mut lock = Lock::new(Arc::clone(&session), "k").unwrap();
    let guard = lock.lock().await.unwrap();
    let statement = statement(&session, 20).await;
    // It has begun; an answer would be quick.
    drop(poll_immediate(guard.abort()).await);
    let start = Instant::now();
    lock.close().await.unwrap();
    assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
    statement.await.unwrap().expect_err("broken off");
    is_closed(&bench, &mut lock).await;
}

/// A guard that is dropped while a statement of the caller's runs spares it: the key is held as long,
/// and `close` says `Ok` only then.
pub(crate) async fn after_the_callers_statement() {
    let bench = Bench::new("ends-after");
    let session = bench.shared();
    let mut lock = Lock::new(Arc::clone(&session), "k").unwrap();
    let guard = lock.lock().await.unwrap();
    let statement = statement(&session, 2).await;
    drop(guard);
    assert_eq!(bench.seen("k"), (1, 0));
    lock.close().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
    statement.await.unwrap().expect("not ours to break off");
    echo(&session, 1);
}

/// A server that hears no break: in doubt until the caller's statement is over, never `Ok` before.
pub(crate) async fn unheard() {
    let bench = Bench::new("ends-unheard");
    let session = bench.shared();
    run(&session, "alter session set \"_standin_break\" = 'ignored'");
    let guard = Lock::new(Arc::clone(&session), "k").unwrap().lock_owned().await.unwrap();
    let (statement, start) = (statement(&session, 11).await, Instant::now());
    let failure = guard.abort().await.expect_err("the statement still runs");
    assert!(matches!(failure.error, Error::Interrupted(None)), "{failure:?}");
    assert!(start.elapsed() < GRACE * 2 && bench.seen("k") == (1, 0));
    let mut lock = failure.lock;
    lock.close().await.unwrap();
    assert!(start.elapsed() > Duration::from_millis(10_800), "{:?}", start.elapsed());
    statement.await.unwrap().expect("nothing broke it off");
    is_closed(&bench, &mut lock).await;
}

/// A pool's session goes back clean, or not at all.
pub(crate) async fn a_pools_session() {
    let bench = Bench::new("ends-pool");
    let pool = bench.pool();
    let connection = pool.get().unwrap();
    let first = sid(&connection);
    drop(Lock::new(connection, "k").unwrap().lock_owned().await.unwrap());
    bench.until("k", (0, 0)).await;
    let connection = loop {
        // It goes back when its thread has ended.
        let connection = pool.get().unwrap();
        if sid(&connection) == first {
            break connection;
        }
        connection.close_with_mode(oracle::conn::CloseMode::Drop).unwrap();
        tokio::task::yield_now().await;
    };
    let guard = Lock::new(connection, "k").unwrap().lock_owned().await.unwrap();
    guard.abort().await.unwrap();
    assert_eq!(bench.seen("k"), (0, 0));
    let others = [pool.get().unwrap(), pool.get().unwrap()];
    assert!(others.iter().all(|other| sid(other) != first), "it was dropped");
}

/// What was certainly granted and is not held when it is let go of in the background: nobody knows
/// whose session that answer is, so that it ends.
pub(crate) async fn not_held_after_all() {
    let bench = Bench::new("ends-not-held");
    let session = bench.shared();
    let mut lock = Lock::new(Arc::clone(&session), "k").unwrap();
    let guard = lock.lock().await.unwrap();
    let release = "declare code integer; begin code := dbms_lock.release(:1); end;";
    session.execute(release, &[&Key::from("k").id()]).unwrap();
    drop(guard);
    lock.close().await.unwrap();
    is_closed(&bench, &mut lock).await;
    assert_eq!(session.status().unwrap(), ConnStatus::Closed);
}
