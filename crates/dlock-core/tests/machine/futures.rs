//! Futures are `Send`, also with a closure that borrows the session; owned guards are `'static`.

use crate::held::{Counter, lent, moving};
use crate::scripted::{Answer, Control, Scripted};
use dlock_core::{Guard, Lock, OwnedGuard, Wait};
use std::time::Duration;
use tokio::task::yield_now;

fn sends<T: Send>(value: T) -> T {
    value
}

fn sends_for_ever<T: Send + 'static>() {}

#[tokio::test]
async fn all_futures_are_send() {
    let (_, mut lock) = Control::lock(&[]);
    drop(sends(lock.acquire(Wait::No)));
    drop(sends(lock.lock()));
    drop(sends(lock.try_lock()));
    drop(sends(lock.lock_within(Duration::ZERO)));
    drop(sends(lock.release()));
    drop(sends(lock.close()));
    drop(sends(lock.upgrade(Wait::No)));
    drop(sends(lock.convert("new", Wait::No)));
    drop(sends(lock.lock_owned()));
    drop(sends(moving().into_session()));
    drop(sends(moving().try_lock_owned()));
    sends_for_ever::<OwnedGuard<Scripted>>();
    sends_for_ever::<Guard<'static, Scripted>>();
    sends_for_ever::<Lock<Scripted>>();
}

#[tokio::test]
async fn a_spawned_scope_borrows_a_shared_session() {
    let says = Answer::Says(true);
    let (_, mut lock) = Control::lock(&[says, says]);
    let task = tokio::spawn(async move {
        let body = async |session: &u32| {
            yield_now().await;
            *session
        };
        lock.with(Wait::Forever, body).await.unwrap()
    });
    assert_eq!(task.await.unwrap(), 7);
}

#[tokio::test]
async fn a_spawned_scope_borrows_an_owned_session() {
    let task = tokio::spawn(async move {
        let mut lock = moving();
        let body = async |session: &mut Counter| {
            session.0 += 10;
            yield_now().await;
            session.0
        };
        let seen = lock.with(Wait::Forever, body).await.unwrap();
        (seen, lock.into_session().await.unwrap().0)
    });
    assert_eq!(task.await.unwrap(), (11, 12));
}

#[tokio::test]
async fn a_spawned_scope_borrows_a_lent_session() {
    let task = tokio::spawn(async move {
        let mut session = Counter::default();
        let mut lock = lent(&mut session);
        let body = async |session: &mut Counter| {
            session.0 += 10;
            yield_now().await;
            session.0
        };
        let seen = lock.with(Wait::Forever, body).await.unwrap();
        drop(lock);
        (seen, session.0)
    });
    assert_eq!(task.await.unwrap(), (11, 12));
}

#[tokio::test]
async fn a_spawned_guard_lends_its_session() {
    let guard = moving().lock_owned().await.unwrap();
    let task = tokio::spawn(async move {
        let mut guard = guard;
        guard.session().0 += 10;
        guard.release().await.unwrap().into_session().await.unwrap().0
    });
    assert_eq!(task.await.unwrap(), 12);
}
