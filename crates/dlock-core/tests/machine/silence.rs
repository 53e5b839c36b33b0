//! A server that has gone silent: bounded calls return, and say that they do not know.

use crate::scripted::{Answer, Control};
use dlock_core::{Error, GRACE, Wait};
use std::time::Duration;
use tokio::time::{Instant, timeout};

#[tokio::test(start_paused = true)]
async fn a_bounded_wait_returns_five_seconds_late_and_in_doubt() {
    for millis in [0, 1, 300, 60_000] {
        let limit = Duration::from_millis(millis);
        let (control, mut lock) = Control::lock(&[Answer::Silence]);
        let start = Instant::now();
        assert!(matches!(lock.acquire(limit).await, Err(Error::Interrupted(None))));
        let late = start.elapsed().checked_sub(limit + GRACE).unwrap();
        assert!(late <= Duration::from_millis(2), "{limit:?}: {late:?}");
        assert_eq!(lock.to_string(), "in doubt on key key");
        assert_eq!(control.script().abandoned, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bounded_change_of_mode_returns_too() {
    let limit = Duration::from_secs(1);
    let (control, mut lock) = Control::locked(&[Answer::Silence]).await;
    assert!(matches!(lock.upgrade(limit).await, Err(Error::Interrupted(None))));
    assert!(!lock.is_locked() && control.script().abandoned == 1);
    let (control, mut lock) = Control::locked(&[Answer::Silence]).await;
    assert!(matches!(lock.convert("new", limit).await, Err(Error::Interrupted(None))));
    assert!(!lock.is_locked() && control.script().abandoned == 1);
}

#[tokio::test(start_paused = true)]
async fn a_bounded_wait_does_not_hang_in_its_settling() {
    let (control, mut lock) = Control::lock(&[Answer::Silence]);
    let limit = Duration::from_secs(2);
    assert!(lock.acquire(limit).await.is_err());
    control.script().settles.push_back(Answer::Silence);
    let start = Instant::now();
    assert!(matches!(lock.acquire(limit).await, Err(Error::Interrupted(None))));
    assert!(start.elapsed() <= limit + GRACE + Duration::from_millis(2));
    assert_eq!(control.script().abandoned, 1);
    lock.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn for_ever_has_no_bound_and_neither_has_the_longest_wait() {
    for wait in [Wait::Forever, Wait::For(Duration::MAX)] {
        let (control, mut lock) = Control::lock(&[Answer::Silence]);
        let year = Duration::from_secs(365 * 24 * 3600);
        assert!(timeout(year, lock.acquire(wait)).await.is_err());
        assert_eq!(control.script().abandoned, 1);
    }
}
