use crate::{in_time, ms, processes, until};
use dlock_locks::Error;
use dlock_memory::{Database, Ended, Locks};
use dlock_testkit::polled::polled;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

type Closed = Result<(), Error<Ended>>;

type Term = dlock_locks::Term<Database>;

/// After a kill another term begins, of another leader or the same, and a break ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_15_one_body_at_a_time_and_again_after_a_loss() {
    let (database, [one, _other]) = processes();
    let (inside, terms) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let body = async |term: Term| {
        let here = Inside::enter(&inside);
        assert_eq!(count(&inside), 1);
        let number = terms.fetch_add(1, Ordering::SeqCst);
        match number {
            0 => {
                term.spawn(pending::<()>());
                database.kill("lead");
                here.stay().await
            }
            1 => {
                term.resign();
                here.stay().await
            }
            2..5 => ControlFlow::Continue(()),
            _ => ControlFlow::Break(number),
        }
    };
    let (first, second) =
        in_time(async { tokio::join!(one.lead("lead", body), one.lead("lead", body)) }).await;
    assert!(first.expect("a value") + second.expect("a value") >= 11);
    in_time(until(|| database.holders("lead") == 0)).await;
}

/// Somebody who is inside, from now until this is dropped.
struct Inside(Arc<AtomicUsize>);

impl Inside {
    fn enter(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }

    async fn stay<T>(self) -> T {
        pending().await
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Leads for ever, and counts who is inside: bodies and what they spawn.
async fn reign(locks: Locks, name: &'static str, inside: Arc<AtomicUsize>) -> Closed {
    // One that is spawned owns what it uses.
    let body = async move |term: Term| {
        term.spawn(Inside::enter(&inside).stay::<()>());
        Inside::enter(&inside).stay::<ControlFlow<()>>().await
    };
    locks.lead(name, body).await
}

fn count(inside: &AtomicUsize) -> usize {
    inside.load(Ordering::SeqCst)
}

/// Dropped after so many polls, wherever it stands then, it leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_it_ends_its_body_and_what_that_spawned() {
    for polls in 0..6 {
        let (database, [locks]) = processes();
        let inside = Arc::new(AtomicUsize::new(0));
        let leading = reign(locks, "lead", Arc::clone(&inside));
        drop(in_time(polled(leading, polls)).await);
        in_time(until(|| count(&inside) == 0 && database.holders("lead") == 0)).await;
    }
    let (database, [locks]) = processes();
    let inside = Arc::new(AtomicUsize::new(0));
    let leading = tokio::spawn(reign(locks, "lead", Arc::clone(&inside)));
    in_time(until(|| count(&inside) == 2)).await;
    leading.abort();
    in_time(until(|| count(&inside) == 0 && database.holders("lead") == 0)).await;
}

/// In office, and while it competes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_ends_it() {
    let (_database, [one, other]) = processes();
    let inside = Arc::new(AtomicUsize::new(0));
    let leader = tokio::spawn(reign(one.clone(), "lead", Arc::clone(&inside)));
    in_time(until(|| count(&inside) == 2)).await;
    let rival = tokio::spawn(reign(other.clone(), "lead", Arc::clone(&inside)));
    other.close().await;
    assert!(matches!(in_time(rival).await, Ok(Err(Error::Closed))));
    one.close().await;
    assert!(matches!(in_time(leader).await, Ok(Err(Error::Closed))));
    assert_eq!(count(&inside), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_takes_over_from_one_that_is_closed() {
    for _ in 0..5 {
        let (database, [one, other]) = processes();
        let [mine, theirs] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let first = tokio::spawn(reign(one.clone(), "lead", Arc::clone(&mine)));
        in_time(until(|| count(&mine) == 2)).await;
        let next = tokio::spawn(reign(other, "lead", Arc::clone(&theirs)));
        in_time(until(|| database.waiters("lead") == 1)).await;
        one.close().await;
        let begun = Instant::now();
        in_time(until(|| count(&theirs) == 2)).await;
        assert!(begun.elapsed() < ms(250), "{:?}", begun.elapsed());
        assert_eq!(count(&mine), 0);
        first.abort();
        next.abort();
    }
}

/// The body is told while it is trusted still, has a fifth of the lease, and is gone before another leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_leader_has_its_grace_and_is_gone_before_another_leads() {
    let (database, [one, other]) = processes();
    let (told, gone) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let [tell, go] = [Arc::clone(&told), Arc::clone(&gone)];
    let first = tokio::spawn(async move {
        one.lead("lead", async move |term: Term| {
            let _gone = Gone(Arc::clone(&go));
            term.cancelled().cancelled().await;
            assert!(term.trusted_for().is_some_and(|left| left > ms(100)));
            tell.set(Instant::now()).expect("one term");
            pending::<ControlFlow<()>>().await
        })
        .await
    });
    in_time(until(|| database.holders("lead") == 1)).await;
    database.silence("lead");
    let begun = Instant::now();
    let next = in_time(other.lock("lead")).await.expect("a lock");
    let granted = Instant::now();
    assert!(begun.elapsed() < ms(3_100), "{:?}", begun.elapsed());
    let (told, gone) = (*told.get().expect("it was told"), *gone.get().expect("it is gone"));
    assert!(gone - told > ms(400) && gone - told < ms(700), "{:?}", gone - told);
    assert!(gone + ms(100) < granted, "{:?}", granted - gone);
    first.abort();
    next.release().await.expect("a release");
}

struct Gone(Arc<OnceLock<Instant>>);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = self.0.set(Instant::now());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_see_who_leads() {
    let (_database, [one, other]) = processes();
    let mut leader = other.leader("lead").await.expect("a watch");
    assert_eq!(*leader.borrow_and_update(), None);
    let held = one.lock("lead").await.expect("a lock");
    in_time(leader.changed()).await.expect("a leader");
    let seen = leader.borrow_and_update().clone().expect("a leader");
    assert_eq!((seen.key.as_str(), seen.is_waiting), ("lead", false));
    held.release().await.expect("a release");
    in_time(leader.changed()).await.expect("a change");
    assert_eq!(*leader.borrow_and_update(), None);
    other.close().await;
    assert!(in_time(leader.changed()).await.is_err(), "nobody asks any more");
}

/// A server that stands still keeps nobody from closing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_ends_though_the_server_is_silent() {
    let (database, [locks]) = processes();
    let mut leader = locks.leader("lead").await.expect("a watch");
    database.freeze();
    // It asks once a second.
    tokio::time::sleep(ms(1_500)).await;
    locks.close().await;
    assert!(in_time(leader.changed()).await.is_err());
}
