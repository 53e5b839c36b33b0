//! What becomes of a wait and a guard when the runtime is not there to help: it has ended, nobody drives
//! it, it has no timers, its clock stands still, there is none; or the process is gone.

use crate::eye::{Eye, connect, connect_to, holder, session};
use dlock_core::Wait;
use dlock_postgres::{AsSession, Lock};
use std::env;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::Config;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const CHILD: &str = "DLOCK_POSTGRES_CHILD";

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Waits until the server has seen the wait; then it is dropped with all around it.
async fn until_waiting<S: AsSession>(lock: &mut Lock<S>, eye: &Eye, key: &str) {
    tokio::select! {
        answer = lock.lock() => panic!("{answer:?}"),
        () = eye.until(key, (1, 1)) => {}
    }
}

/// The runtime ends under the wait, with the connection's task and without it.
#[test]
fn a_runtime_that_ended() {
    let main = runtime();
    let (eye, _holder) = main.block_on(async { (Eye::open().await, holder("runtime-ends").await) });
    for own in [true, false] {
        let short = runtime();
        let client =
            Arc::new(if own { short.block_on(connect()) } else { main.block_on(connect()) });
        let task = short.spawn({
            let client = Arc::clone(&client);
            async move { Lock::new(client, "runtime-ends").unwrap().lock().await.is_ok() }
        });
        main.block_on(eye.until("runtime-ends", (1, 1)));
        short.shutdown_background();
        main.block_on(eye.until("runtime-ends", (1, 0)));
        if !own {
            main.block_on(async {
                timeout(SECOND, client.batch_execute("SELECT 1")).await.unwrap().unwrap();
                let mut lock = Lock::new(Arc::clone(&client), "runtime-ends").unwrap();
                assert!(!lock.acquire(MS * 50).await.unwrap());
            });
        }
        drop(task);
    }
}

/// A guard whose runtime has ended before it is dropped; the connection's has not.
#[test]
fn a_guard_whose_runtime_ended() {
    let (main, short) = (runtime(), runtime());
    let eye = main.block_on(Eye::open());
    let client = Arc::new(main.block_on(connect()));
    let mut shared = Lock::new(Arc::clone(&client), "runtime-guard").unwrap();
    let mut owned = Lock::new(main.block_on(connect()), "runtime-guard-owned").unwrap();
    let mut both = Lock::new(main.block_on(session()), "runtime-guard-both").unwrap();
    short.block_on(async {
        assert!(shared.acquire(Wait::No).await.unwrap());
        assert!(owned.acquire(Wait::No).await.unwrap());
        assert!(both.acquire(Wait::No).await.unwrap());
    });
    drop(short);
    drop((shared, owned, both));
    for key in ["runtime-guard", "runtime-guard-owned", "runtime-guard-both"] {
        main.block_on(eye.until(key, (0, 0)));
    }
}

/// The same in a failed transaction: an owned session has no other user, and ends.
#[test]
fn an_owned_session_whose_runtime_ended_in_a_failed_transaction() {
    let main = runtime();
    let eye = main.block_on(Eye::open());
    for off in [true, false] {
        let short = runtime();
        let mut lock = Lock::new(main.block_on(connect()), "runtime-failed").unwrap();
        short.block_on(async {
            assert!(lock.acquire(Wait::No).await.unwrap());
            crate::eye::fail(lock.session().unwrap()).await;
        });
        drop(short);
        if off {
            drop(lock);
        } else {
            let enter = main.enter();
            drop(lock);
            drop(enter);
        }
        main.block_on(eye.until("runtime-failed", (0, 0)));
    }
}

/// A current-thread runtime that nobody drives any more: the wait leaves at the end of its slice.
#[test]
fn a_runtime_that_nobody_drives() {
    let (main, still) = (runtime(), Builder::new_current_thread().enable_all().build().unwrap());
    let (eye, _holder) =
        main.block_on(async { (Eye::open().await, holder("runtime-still").await) });
    let mut client_lock = Lock::new(still.block_on(connect()), "runtime-still").unwrap();
    still.block_on(until_waiting(&mut client_lock, &eye, "runtime-still"));
    main.block_on(eye.until("runtime-still", (1, 0)));
    let mut both = Lock::new(still.block_on(session()), "runtime-still").unwrap();
    still.block_on(until_waiting(&mut both, &eye, "runtime-still"));
    main.block_on(eye.until("runtime-still", (1, 0)));
    // When it is driven again all is as it should be.
    still.block_on(async {
        client_lock.close().await.unwrap();
        both.close().await.unwrap();
        assert!(!both.acquire(MS * 60).await.unwrap());
    });
}

/// A runtime without timers: waits of all kinds, their deadlines, drops.
#[test]
fn a_runtime_without_timers() {
    let main = runtime();
    let (eye, mut other) =
        main.block_on(async { (Eye::open().await, holder("runtime-time").await) });
    let plain = Builder::new_multi_thread().worker_threads(2).enable_io().build().unwrap();
    plain.block_on(async {
        let client = connect().await;
        let mut lock = Lock::new(&client, "runtime-time").unwrap();
        let start = Instant::now();
        assert!(!lock.acquire(MS * 300).await.unwrap());
        assert!(start.elapsed() >= MS * 300 && start.elapsed() < SECOND, "{:?}", start.elapsed());
        until_waiting(&mut lock, &eye, "runtime-time").await;
    });
    main.block_on(async {
        eye.until("runtime-time", (1, 0)).await;
        other.release().await.unwrap();
    });
}

/// A clock that stands still, or jumps to the next timer, moves no deadline of ours.
#[tokio::test(start_paused = true)]
async fn a_paused_clock() {
    let client = connect().await;
    let mut other = holder("runtime-paused").await;
    let mut lock = Lock::new(&client, "runtime-paused").unwrap();
    let start = Instant::now();
    assert!(!lock.acquire(MS * 200).await.unwrap());
    assert!(start.elapsed() >= MS * 200 && start.elapsed() < SECOND, "{:?}", start.elapsed());
    other.release().await.unwrap();
    assert!(lock.acquire(SECOND * 3600).await.unwrap());
    lock.release().await.unwrap();
}

struct Unparks(Thread);

impl Wake for Unparks {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future where there is no runtime at all.
fn off_runtime<F: Future>(future: F) -> F::Output {
    let (mut future, waker) = (pin!(future), Waker::from(Arc::new(Unparks(thread::current()))));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Everything works where there is no runtime, but for the connection's own task.
#[test]
fn off_any_runtime() {
    let main = runtime();
    let (eye, mut other) =
        main.block_on(async { (Eye::open().await, holder("runtime-off").await) });
    let client = main.block_on(connect());
    let mut lock = Lock::new(client, "runtime-off").unwrap();
    assert!(!off_runtime(lock.acquire(MS * 100)).unwrap());
    {
        let mut wait = Box::pin(lock.lock());
        // Polled until it is queued, and dropped here.
        off_runtime(async {
            let mut seen = pin!(eye.until("runtime-off", (1, 1)));
            poll_fn(|context| {
                assert!(wait.as_mut().poll(context).is_pending());
                let _enter = main.enter();
                seen.as_mut().poll(context)
            })
            .await;
        });
    }
    main.block_on(eye.until("runtime-off", (1, 0)));
    main.block_on(other.release()).unwrap();
    assert!(off_runtime(lock.acquire(Wait::Forever)).unwrap());
    drop(lock);
    main.block_on(eye.until("runtime-off", (0, 0)));
}

/// A process that is killed while it waits, and while it holds.
#[tokio::test]
async fn a_process_that_was_killed() {
    let (eye, mut other) = (Eye::open().await, holder("runtime-killed").await);
    for waits in [true, false] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "runtimes::the_child", "--nocapture"])
            .env(CHILD, url())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        if !waits {
            other.release().await.unwrap();
        }
        let start = Instant::now();
        let seen = (1, i64::from(waits));
        while eye.sees("runtime-killed").await != seen {
            assert!(start.elapsed() < SECOND * 20, "the child does not come");
            tokio::time::sleep(MS * 5).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        eye.until("runtime-killed", (i64::from(waits), 0)).await;
    }
}

fn url() -> String {
    dlock_testkit::server::Postgres::shared().unwrap().url().to_owned()
}

/// Not a test: what the killed process does.
#[test]
fn the_child() {
    let Ok(url) = env::var(CHILD) else { return };
    runtime().block_on(async {
        let config: Config = url.parse().unwrap();
        let mut lock = Lock::new(connect_to(&config).await, "runtime-killed").unwrap();
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        tokio::time::sleep(SECOND * 30).await;
    });
}
