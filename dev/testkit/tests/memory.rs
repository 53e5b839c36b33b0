//! The promises of every lock, over a database made of memory, for each kind of session.

use dlock_core::{BorrowedSession, Error, Lock, Wait};
use dlock_testkit::memory::{
    ByArc, Carried, Database, Ended, Kind, MemoryBed, Moved, MutBorrowed, Owned, Session,
};
use dlock_testkit::polled::polled;
use dlock_testkit::trial::{
    drop_promises, harness, local_promises, session_promises, shared_promises,
    shared_session_promises, trial,
};
use libtest_mimic::Trial;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let mut trials = every_promise::<Owned>();
    trials.extend(every_promise::<ByArc>());
    trials.extend(session_promises::<MemoryBed<ByArc>>(ByArc::NAME));
    trials.extend(shared_session_promises::<MemoryBed<ByArc>>(ByArc::NAME));
    trials.extend(every_promise::<Moved>());
    // Behind a borrow a drop cannot keep them before the owner drops the session.
    trials.extend(promises_of_waits::<MutBorrowed>());
    trials.push(trial("lent_session::drops::owner", lent_to_a_dropped_wait));
    trials.push(trial("lent_session::drops::guard", lent_to_a_dropped_guard));
    harness(trials)
}

fn promises_of_waits<K: Kind>() -> Vec<Trial> {
    let mut trials = local_promises::<MemoryBed<K>>(K::NAME);
    trials.extend(shared_promises::<MemoryBed<K>>(K::NAME));
    trials
}

fn every_promise<K: Kind>() -> Vec<Trial> {
    let mut trials = promises_of_waits::<K>();
    trials.extend(drop_promises::<MemoryBed<K>>(K::NAME));
    trials
}

/// A wait over a lent session is dropped after every number of polls: the lock says that the session
/// may not be used, and nothing is held once its owner drops it.
async fn lent_to_a_dropped_wait() {
    for polls in 1.. {
        let database = Database::new();
        let mut session = database.session();
        let mut lock = lent(&mut session);
        if let Some(answer) = polled(lock.acquire(Wait::Forever), polls).await {
            assert!(answer.unwrap() && polls > 1);
            break;
        }
        assert!(!lock.is_locked() && lock.session().is_none());
        assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
        drop(lock);
        drop(session);
        assert_eq!((database.holders("key"), database.waiters("key")), (0, 0), "{polls}");
    }
}

async fn lent_to_a_dropped_guard() {
    let database = Database::new();
    let mut session = database.session();
    let mut lock = lent(&mut session);
    drop(lock.lock_within(Duration::from_secs(5)).await.unwrap());
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    drop(lock);
    drop(session);
    assert_eq!(database.holders("key"), 0);
}

fn lent(session: &mut Session) -> Lock<Carried<BorrowedSession<'_, Session, Ended>>> {
    Lock::new(session, "key").unwrap()
}
