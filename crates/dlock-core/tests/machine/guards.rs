//! Guards: what they leave behind, however they end.

use crate::scripted::{Answer, Control};
use Answer::{Deadlock, Driver, Ends, Says};
use dlock_core::{Error, Wait, WithError};
use std::panic::resume_unwind;

#[tokio::test]
async fn a_dropped_guard_leaves_the_lock_in_doubt() {
    let (control, mut lock) = Control::lock(&[Says(true)]);
    drop(lock.lock().await.unwrap());
    assert_eq!(lock.to_string(), "in doubt on key key");
    lock.close().await.unwrap();
    let script = control.script();
    assert_eq!((script.abandoned, script.settled), (1, 1));
}

#[tokio::test]
async fn a_released_guard_is_not_abandoned() {
    let (control, mut lock) = Control::lock(&[Says(true), Says(true)]);
    let mut guard = lock.try_lock().await.unwrap().unwrap();
    assert_eq!((*guard.session(), *guard.key(), guard.mode()), (7, "key", "plain"));
    guard.release().await.unwrap();
    drop(lock);
    assert_eq!(control.script().abandoned, 0);
}

#[tokio::test]
async fn a_guard_whose_release_fails_leaves_the_truth() {
    let (control, mut lock) = Control::lock(&[Says(true), Driver]);
    let guard = lock.lock().await.unwrap();
    assert!(matches!(guard.release().await, Err(Error::Driver(_))));
    assert!(lock.is_locked() && control.script().abandoned == 0);
    drop(lock);
    assert_eq!(control.script().abandoned, 1);
    let (_, mut lock) = Control::lock(&[Says(true), Ends]);
    let guard = lock.lock().await.unwrap();
    assert!(matches!(guard.release().await, Err(Error::Lost(_))));
    assert!(!lock.is_locked());
}

#[tokio::test]
async fn a_guard_comes_back_from_an_upgrade_either_way() {
    let (control, mut lock) = Control::lock(&[Says(true), Says(false), Says(true), Says(true)]);
    let guard = lock.lock().await.unwrap();
    let (guard, upgraded) = guard.upgrade(Wait::No).await.unwrap();
    assert!(!upgraded);
    let (guard, converted) = guard.convert("new", Wait::Forever).await.unwrap();
    assert!(converted && guard.mode() == "new");
    guard.release().await.unwrap();
    assert_eq!(control.script().abandoned, 0);
}

#[tokio::test]
async fn a_guard_whose_upgrade_fails_leaves_the_lock_locked() {
    let (control, mut lock) = Control::lock(&[Says(true), Deadlock]);
    let guard = lock.lock().await.unwrap();
    assert!(matches!(guard.upgrade(Wait::Forever).await, Err(Error::Deadlock(_))));
    assert!(lock.is_locked() && control.script().abandoned == 0);
}

#[tokio::test]
async fn a_call_that_consumes_a_guard_and_is_never_polled_releases() {
    let (control, mut lock) = Control::lock(&[Says(true)]);
    let guard = lock.lock().await.unwrap();
    drop(guard.release());
    assert_eq!(control.script().abandoned, 1);
    control.script().answers.push_back(Says(true));
    let guard = lock.lock().await.unwrap();
    drop(guard.upgrade(Wait::No));
    assert_eq!(control.script().abandoned, 2);
}

#[tokio::test]
async fn owned_guards_give_the_lock_back() {
    let (_, lock) = Control::lock(&[Says(false), Driver, Says(true), Driver]);
    let refused = lock.try_lock_owned().await.unwrap_err();
    assert!(matches!(refused.error, Error::TimedOut));
    let refused = refused.lock.lock_owned().await.unwrap_err();
    assert!(matches!(refused.error, Error::Driver(_)));
    assert!(std::error::Error::source(&refused).is_some());
    let guard = refused.lock.lock_owned().await.unwrap();
    let kept = guard.release().await.unwrap_err();
    assert!(matches!(kept.error, Error::Driver(_)) && kept.lock.is_locked());
}

#[tokio::test]
async fn an_owned_guard_whose_upgrade_fails_gives_the_held_lock_back() {
    let (control, lock) = Control::lock(&[Says(true), Says(false), Deadlock]);
    let guard = lock.lock_owned().await.unwrap();
    let (guard, upgraded) = guard.upgrade(Wait::No).await.unwrap();
    assert!(!upgraded);
    let kept = guard.upgrade(Wait::No).await.unwrap_err();
    assert!(kept.lock.is_locked() && control.script().abandoned == 0);
}

#[tokio::test]
async fn a_scope_releases_or_says_why_not() {
    let answers = [Says(true), Says(true), Says(false), Says(true), Driver];
    let (control, mut lock) = Control::lock(&answers);
    assert_eq!(lock.with(Wait::Forever, async |session| *session).await.unwrap(), 7);
    assert!(matches!(
        lock.with(Wait::No, async |_| ()).await,
        Err(WithError { value: None, error: Error::TimedOut })
    ));
    assert!(matches!(
        lock.with(Wait::No, async |_| "done").await,
        Err(WithError { value: Some("done"), error: Error::Driver(_) })
    ));
    // Nobody has the guard any more to try again.
    assert!(!lock.is_locked());
    assert_eq!(control.script().abandoned, 1);
}

#[tokio::test]
async fn a_scope_that_panics_is_abandoned() {
    let (control, mut lock) = Control::lock(&[Says(true)]);
    let task = tokio::spawn(async move {
        let body = async |_: &u32| resume_unwind(Box::new("on purpose"));
        lock.with(Wait::No, body).await.is_ok()
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(control.script().abandoned, 1);
}
