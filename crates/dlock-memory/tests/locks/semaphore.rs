use crate::{in_time, ms, processes, until};
use dlock_core::Wait;
use dlock_locks::{Error, LostReason};
use dlock_memory::{Database, Locks, Permit, Semaphore};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

fn of(locks: &Locks, permits: usize) -> Semaphore {
    locks.semaphore("s", permits).expect("a semaphore")
}

/// How many slots are held, and whether the turnstile is.
fn held(database: &Database, permits: usize) -> usize {
    let slots = (1..=permits).map(|slot| format!("permit {slot}"));
    let keys = slots.chain(["permits".to_owned()]);
    keys.map(|label| database.holders(&format!("s\u{0}{label}"))).sum()
}

/// How many are in at a time, and how many ever were.
#[derive(Clone, Default)]
struct Register(Arc<[AtomicUsize; 2]>);

impl Register {
    fn enter(&self) -> Inside {
        let now = self.0[0].fetch_add(1, Ordering::SeqCst) + 1;
        self.0[1].fetch_max(now, Ordering::SeqCst);
        Inside(self.clone())
    }

    fn most(&self) -> usize {
        self.0[1].load(Ordering::SeqCst)
    }
}

struct Inside(Register);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.0[0].fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn so_many_and_no_more() {
    let (database, [one, other]) = processes();
    let (ours, theirs) = (of(&one, 3), of(&other, 3));
    let first = in_time(ours.acquire(Wait::Forever)).await.expect("a permit");
    let second = in_time(theirs.acquire(Wait::No)).await.expect("a permit");
    let third = in_time(ours.try_acquire()).await.expect("an answer").expect("a permit");
    assert!(in_time(ours.try_acquire()).await.expect("an answer").is_none());
    assert!(in_time(theirs.try_acquire()).await.expect("an answer").is_none());
    let refused = in_time(theirs.acquire_within(ms(50))).await.expect_err("there is none");
    assert!(matches!(&refused, Error::TimedOut { key, .. } if key == "s"), "{refused:?}");
    assert_eq!((first.key().as_str(), ours.permits()), ("s", 3));
    assert!(!first.is_lost() && first.trusted_for() > Some(ms(1000)));
    in_time(first.release()).await.expect("a release");
    drop(in_time(theirs.acquire(ms(1000))).await.expect("a permit"));
    drop((second, third));
    in_time(until(|| held(&database, 3) == 0)).await;
}

#[tokio::test]
async fn a_second_opinion_about_the_number_is_an_error() {
    let (_database, [one, other]) = processes();
    assert!(matches!(one.semaphore("s", 0), Err(Error::NoPermits { .. })));
    let semaphore = of(&one, 3);
    let refused = one.clone().semaphore("s", 4).expect_err("there are three");
    assert!(matches!(&refused, Error::OtherPermits { permits: 4, others: 3, .. }), "{refused:?}");
    // Nobody sees it over there.
    of(&other, 4);
    drop(semaphore);
    of(&one, 4);
    assert!(matches!(one.semaphore("s", 1000), Err(Error::TooManyKeys { .. })));
}

/// Four processes, many tasks, calls that are dropped, and sessions that are killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_15_never_more_than_so_many() {
    let (database, locks): (_, [Locks; 4]) = processes();
    let (register, mut tasks) = (Register::default(), JoinSet::new());
    for (process, locks) in locks.iter().enumerate() {
        for task in 0..10 {
            let (semaphore, register) = (of(locks, 3), register.clone());
            tasks.spawn(async move {
                let mut rng = fastrand::Rng::with_seed(process as u64 * 100 + task);
                for _ in 0..20 {
                    let limit = ms(rng.u64(0..60));
                    let acquire = semaphore.acquire(Wait::Forever);
                    let Ok(permit) = tokio::time::timeout(limit, acquire).await else { continue };
                    let permit = permit.expect("a permit");
                    let inside = register.enter();
                    let work = permit.run_until_lost(tokio::time::sleep(ms(rng.u64(0..4)))).await;
                    drop(inside);
                    assert_eq!(permit.release().await.is_err(), work.is_err());
                }
            });
        }
    }
    in_time(tasks.join_all()).await;
    assert_eq!(register.most(), 3);
    in_time(until(|| held(&database, 3) == 0)).await;
}

/// The others of a process wait for as long as there is none, and no longer: whoever had them before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_15_never_fewer_while_somebody_waits() {
    let (_database, [one, other]) = processes();
    let theirs = of(&other, 4);
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(theirs.acquire(Wait::Forever).await.expect("a permit"));
    }
    let (ours, register) = (of(&one, 4), Register::default());
    let mut tasks = JoinSet::new();
    for _ in 0..12 {
        let (ours, register) = (ours.clone(), register.clone());
        tasks.spawn(async move {
            let permit = ours.acquire(Wait::Forever).await.expect("a permit");
            std::mem::forget(register.enter());
            permit
        });
    }
    let count = |register: &Register| register.0[0].load(Ordering::SeqCst);
    let (mut ours, mut expected) = (Vec::new(), 0);
    while let Some(permit) = taken.pop() {
        assert_eq!(count(&register), expected);
        drop(permit);
        expected += 1;
        ours.push(in_time(tasks.join_next()).await.expect("a task").expect("no panic"));
    }
    // In this process too, before and after the stay.
    for pause in [0, 150] {
        tokio::time::sleep(ms(pause)).await;
        for permit in std::mem::take(&mut ours) {
            assert_eq!(count(&register), expected);
            drop(permit);
            expected += 1;
            let next = in_time(tasks.join_next()).await.expect("a task").expect("no panic");
            ours.push(next);
        }
    }
    assert_eq!((expected, tasks.len()), (12, 0));
}

#[tokio::test]
async fn first_come_first_served_in_a_process() {
    let database = Database::new();
    let one = database.builder().stay(Duration::from_secs(60)).build().expect("a thread");
    let semaphore = of(&one, 2);
    let kept = [semaphore.acquire(Wait::No).await, semaphore.acquire(Wait::No).await];
    let (order, mut orders) = tokio::sync::mpsc::unbounded_channel();
    let mut tasks = JoinSet::new();
    for task in 0..20 {
        let (semaphore, order) = (semaphore.clone(), order.clone());
        tasks.spawn(async move {
            let permit = semaphore.acquire(Wait::Forever).await.expect("a permit");
            order.send(task).expect("somebody listens");
            permit.release().await.expect("a release");
        });
        tokio::task::yield_now().await;
    }
    let before = one.stats().await.expect("counts").granted;
    drop(kept);
    in_time(tasks.join_all()).await;
    drop(order);
    let mut served = Vec::new();
    while let Some(task) = orders.recv().await {
        served.push(task);
    }
    // Two at a time may tell in any order.
    assert!(served.iter().enumerate().all(|(at, task)| at.abs_diff(*task) <= 1), "{served:?}");
    assert_eq!(one.stats().await.expect("counts").granted, before, "handed over in the process");
    in_time(until(|| held(&database, 2) == 0)).await;
}

#[tokio::test]
async fn dropped_calls_leave_only_their_place() {
    let (database, [one, other]) = processes();
    let kept = of(&one, 1).acquire(Wait::No).await.expect("a permit");
    for locks in [&one, &other] {
        let semaphore = of(locks, 1);
        for round in 0..100 {
            let limit = Duration::from_micros(round * 61 % 5000);
            let wait = tokio::time::timeout(limit, semaphore.acquire(Wait::Forever)).await;
            wait.expect_err("there is none");
        }
        let waits = tokio::spawn({
            let semaphore = semaphore.clone();
            async move { semaphore.acquire(Wait::Forever).await }
        });
        tokio::time::sleep(ms(30)).await;
        waits.abort();
    }
    in_time(until(|| held(&database, 1) == 1)).await;
    drop(kept);
    in_time(until(|| held(&database, 1) == 0)).await;
}

/// As many who do not wait get a permit as there are, at once and all at the same time.
#[tokio::test]
async fn who_does_not_wait_gets_what_there_is() {
    let (database, [one, other]) = processes();
    for round in 0..20 {
        let (ours, theirs) = (of(&one, 5), of(&other, 5));
        let begun = Instant::now();
        let tries = (0..8).map(|_| ours.try_acquire());
        let permits = in_time(futures::future::join_all(tries)).await;
        let had = permits.iter().filter(|it| it.as_ref().expect("an answer").is_some()).count();
        assert_eq!(had, 5, "round {round}");
        assert!(in_time(theirs.try_acquire()).await.expect("an answer").is_none());
        assert!(begun.elapsed() < ms(1000), "{:?}", begun.elapsed());
        drop(permits);
        in_time(until(|| held(&database, 5) == 0)).await;
    }
}

#[tokio::test]
async fn a_permit_that_is_lost_is_not_handed_over() {
    let (database, [one, other]) = processes();
    let semaphore = of(&one, 1);
    let lost = semaphore.acquire(Wait::No).await.expect("a permit");
    database.kill("s\u{0}permit 1");
    in_time(lost.lost()).await;
    let theirs = in_time(of(&other, 1).acquire(Wait::Forever)).await.expect("it is free");
    let waits = tokio::spawn(async move { semaphore.acquire(Wait::Forever).await });
    assert!(matches!(in_time(lost.release()).await, Err(Error::Lost(_))));
    tokio::time::sleep(ms(30)).await;
    assert!(!waits.is_finished());
    theirs.release().await.expect("a release");
    drop(in_time(waits).await.expect("no panic").expect("a permit"));
}

/// Its slot is free on the server, and anybody's: of this process too, before the loser has let go of it.
#[tokio::test]
async fn a_permit_that_is_lost_and_kept_keeps_nobody_out() {
    let (database, [locks]) = processes();
    let semaphore = of(&locks, 1);
    let lost = in_time(semaphore.acquire(Wait::Forever)).await.expect("a permit");
    let waiter = tokio::spawn({
        let semaphore = semaphore.clone();
        async move { semaphore.acquire(Wait::Forever).await }
    });
    tokio::time::sleep(ms(30)).await;
    database.kill("s\u{0}permit 1");
    assert_eq!(in_time(lost.lost()).await.reason(), LostReason::SessionEnded);
    let begun = Instant::now();
    let next = in_time(waiter).await.expect("no panic").expect("a permit");
    assert!(begun.elapsed() < ms(500), "{:?}", begun.elapsed());
    assert!(in_time(semaphore.try_acquire()).await.expect("an answer").is_none());
    // The one that was lost takes nothing with it.
    drop(lost);
    assert!(in_time(semaphore.try_acquire()).await.expect("an answer").is_none());
    assert!(!next.is_lost() && held(&database, 1) >= 1);
    in_time(next.release()).await.expect("a release");
    drop(in_time(semaphore.acquire(Wait::Forever)).await.expect("a permit"));
}

#[tokio::test]
async fn closing_tells_who_waits_for_a_permit() {
    let (database, [one]) = processes();
    let semaphore = of(&one, 1);
    let kept = semaphore.acquire(Wait::No).await.expect("a permit");
    let waits = tokio::spawn({
        let semaphore = semaphore.clone();
        async move { semaphore.acquire(Wait::Forever).await.map(drop) }
    });
    tokio::task::yield_now().await;
    in_time(one.close()).await;
    drop(kept);
    assert!(matches!(in_time(waits).await.expect("no panic"), Err(Error::Closed)));
    assert!(matches!(in_time(semaphore.try_acquire()).await, Err(Error::Closed)));
    assert_eq!(held(&database, 1), 0);
}

/// A greedy process beside one with a single task: that one is served before long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_gets_a_permit_in_time() {
    let (_database, [one, other]) = processes();
    let mut greedy = JoinSet::new();
    for _ in 0..20 {
        let semaphore = of(&one, 2);
        greedy.spawn(async move {
            loop {
                let permit = semaphore.acquire(Wait::Forever).await.expect("a permit");
                tokio::time::sleep(ms(5)).await;
                drop(permit);
            }
        });
    }
    let semaphore = of(&other, 2);
    for _ in 0..10 {
        let begun = Instant::now();
        drop(in_time(semaphore.acquire(Wait::Forever)).await.expect("a permit"));
        assert!(begun.elapsed() < ms(1000), "{:?}", begun.elapsed());
    }
}

fn is_send_and_sync<T: Send + Sync + 'static>() {}

#[test]
fn permits_may_go_anywhere() {
    is_send_and_sync::<Permit>();
    is_send_and_sync::<Semaphore>();
}
