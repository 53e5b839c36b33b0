//! Many locks over few connections, with everything that may happen to them at random.

use crate::bench::{Bench, echo, run};
use dlock_core::Wait;
use dlock_oracle::{Error, Lock};
use futures::future::join_all;
use oracle::Connection;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const KEYS: [&str; 3] = ["k0", "k1", "k2"];
const TIME: Duration = Duration::from_secs(4);

fn below(limit: u64) -> u64 {
    RandomState::new().hash_one(()) % limit
}

fn some_time() -> Duration {
    Duration::from_micros(below(4000))
}

/// Waits in one way or another; a wait may be dropped.
async fn acquire(lock: &mut Lock<Arc<Connection>>) -> bool {
    let wait = [Wait::No, Wait::For(Duration::from_millis(30)), Wait::Forever]
        [usize::try_from(below(3)).unwrap()];
    match timeout(some_time() * 20, lock.acquire(wait)).await {
        Ok(Ok(locked)) => locked,
        // Another lock over the same session holds the key.
        Err(_) | Ok(Err(Error::AlreadyHeld)) => false,
        Ok(Err(error)) => panic!("{wait:?}: {error:?}"),
    }
}

async fn member(session: Arc<Connection>, inside: &[AtomicU32; 3], sections: &AtomicU32) {
    let end = Instant::now() + TIME;
    while Instant::now() < end {
        let place = usize::try_from(below(3)).unwrap();
        let mut lock = Lock::new(Arc::clone(&session), KEYS[place]).unwrap();
        if acquire(&mut lock).await {
            assert_eq!(inside[place].fetch_add(1, Ordering::SeqCst), 0, "two hold it");
            sections.fetch_add(1, Ordering::SeqCst);
            sleep(some_time()).await;
            inside[place].fetch_sub(1, Ordering::SeqCst);
            if below(2) == 0 {
                lock.release().await.unwrap();
            }
        }
        if below(4) == 0 {
            lock.close().await.unwrap();
        }
    }
}

async fn crowd(how: &str) {
    let bench = Bench::new(&format!("crowd-{how}"));
    let sessions = [(); 3].map(|()| bench.shared());
    for session in &sessions {
        run(session, &format!("alter session set \"_standin_break\" = '{how}'"));
    }
    let (inside, sections) = (<[AtomicU32; 3]>::default(), AtomicU32::new(0));
    let members = sessions.iter().cycle().take(9);
    join_all(members.map(|session| member(Arc::clone(session), &inside, &sections))).await;
    for key in KEYS {
        bench.until(key, (0, 0)).await;
    }
    for (number, session) in sessions.iter().enumerate() {
        echo(session, i64::try_from(number).unwrap());
    }
    let sections = sections.into_inner();
    // A break that is heard late costs a slice.
    assert!(sections > 0, "{how}");
}

pub(crate) async fn prompt() {
    crowd("prompt").await;
}

pub(crate) async fn late() {
    crowd("late").await;
}

pub(crate) async fn stray() {
    crowd("stray").await;
}
