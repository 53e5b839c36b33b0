//! The database made of memory.

use crate::{in_time, is_send_and_static, layer};
use dlock_db::memory::{
    Database, Error, Guard, Key, Lock, Locks, LocksError, Mode, OwnedGuard, Session,
};
use dlock_db::{LostReason, NotAcquired, Wait, lock};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn locks() {
    let database = Database::new();
    let locks: [Locks; 3] = [database.locks(), database.locks(), database.locks()];
    let [one, other, _] = &locks;
    layer::shares(one, other, "shares").await;
    layer::alone(one, other, "alone").await;
    layer::shares_alone(one, other, "alone").await;
    layer::conflicts(one, "conflicts").await;
    layer::names_holders(database.builder(), one, "names").await;
    layer::every(locks, "memory", true).await;
    drop(layer::settings(database.builder()).build().expect("a thread"));
    drop(Locks::builder(database).connect().await.expect("a session"));
}

#[tokio::test]
async fn faults_on_order() {
    let database = Database::new();
    let held = database.locks().lock("fault").await.expect("a free key");
    database.delay(Duration::from_millis(1));
    database.kill("fault");
    assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
    database.freeze();
    let refused = database.locks().lock_within("fault", Duration::from_millis(50)).await;
    assert!(matches!(refused, Err(LocksError::TimedOut { .. } | LocksError::NoSession { .. })));
    database.thaw();
}

/// One that has its session to itself is told of its loss like any other.
#[tokio::test]
async fn a_lent_session_that_ends() {
    let database = Database::new();
    let locks = database.locks();
    let mut held = locks.key("fault").unwrap().alone().lock().await.expect("a free key");
    let token = held.cancelled();
    database.kill("fault");
    assert!(held.is_lost() && token.is_cancelled());
    let refused = held.must_have(Duration::ZERO).expect_err("it is lost");
    assert_eq!(refused.reason(), LostReason::SessionEnded);
    assert!(in_time(held.run_until_lost(std::future::pending::<()>())).await.is_err());
    let mut held = locks.key("fault").unwrap().alone().lock().await.expect("a free key");
    let (token, killing) = (held.cancelled(), async { database.kill("fault") });
    let work = async { (killing.await, std::future::pending::<()>().await) };
    assert!(in_time(held.run_until_lost(work)).await.is_err() && token.is_cancelled());
}

#[tokio::test]
async fn a_lock() -> Result<(), Error> {
    let database = Database::new();
    let (session, other): (Session, Session) = (database.session(), database.session());
    let mut lock: Lock<&Session> = Lock::new(&session, "invoice:42")?;
    let guard: Guard<'_, &Session> = lock.lock().await?;
    let _: (&Key, Mode) = (guard.key(), guard.mode());
    guard.release().await?;
    let mut second: Lock<&Session> = dlock_db::lock(&session, "invoice:42")?;
    assert!(lock.acquire(None).await?);
    assert!(matches!(second.acquire(Wait::No).await, Err(Error::AlreadyHeld)));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyLocked)));
    let refused: Result<OwnedGuard, _> = Lock::new(other, "invoice:42")?.try_lock_owned().await;
    let Err(NotAcquired { lock: _given_back, error: Error::TimedOut }) = refused else {
        panic!("{refused:?}")
    };
    lock.release().await?;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    lock.close().await?;
    drop((lock, second));
    let shared = Arc::new(session);
    let guard = is_send_and_static(lock_owned(shared)).await?;
    guard.release().await.map_err(Error::from)?;
    Ok(())
}

async fn lock_owned(session: Arc<Session>) -> Result<OwnedGuard<Arc<Session>>, Error> {
    let guard = lock(session, 42)?.shared().lock_owned_within(Duration::from_secs(1)).await?;
    assert_eq!(guard.mode(), Mode::Shared);
    Ok(guard)
}
