//! A server that has gone silent: bounded calls return, and say that they do not know.

use crate::scripted::{Answer, Control};
use dlock_core::{Error, GRACE, Wait};
use std::time::Duration;
use std::time::Instant;
use tokio::time::timeout;

/// How late a call may notice that it is overdue, on a machine that has other things to do.
const LATE: Duration = Duration::from_millis(500);

#[tokio::test]
async fn a_bounded_wait_returns_five_seconds_late_and_in_doubt() {
    let returns = async |limit: Duration| {
        let (control, mut lock) = Control::lock(&[Answer::Silence]);
        let start = Instant::now();
        assert!(matches!(lock.acquire(limit).await, Err(Error::Interrupted(None))));
        let late = start.elapsed().checked_sub(limit + GRACE).unwrap();
        assert!(late <= LATE, "{limit:?}: {late:?}");
        assert_eq!(lock.to_string(), "in doubt on key key");
        assert_eq!(control.script().abandoned, 1);
    };
    let [none, short, long] = [0, 1, 300].map(Duration::from_millis);
    tokio::join!(returns(none), returns(short), returns(long));
}

/// The clock of a test is paused: nothing of it moves the bound.
#[tokio::test(start_paused = true)]
async fn a_release_and_a_close_return_five_seconds_late_and_in_doubt() {
    let (control, mut lock) = Control::locked(&[Answer::Silence]).await;
    let start = Instant::now();
    assert!(matches!(lock.release().await, Err(Error::Interrupted(None))));
    assert!((GRACE..GRACE + LATE).contains(&start.elapsed()), "{:?}", start.elapsed());
    assert_eq!(lock.to_string(), "in doubt on key key");
    control.script().settles.push_back(Answer::Silence);
    let start = Instant::now();
    assert!(matches!(lock.close().await, Err(Error::Interrupted(None))));
    assert!((GRACE..GRACE + LATE).contains(&start.elapsed()), "{:?}", start.elapsed());
    lock.close().await.unwrap();
}

#[tokio::test]
async fn a_bounded_change_of_mode_returns_too() {
    let limit = Duration::from_millis(10);
    let (control, mut lock) = Control::locked(&[Answer::Silence]).await;
    assert!(matches!(lock.upgrade(limit).await, Err(Error::Interrupted(None))));
    assert!(!lock.is_locked() && control.script().abandoned == 1);
    let (control, mut lock) = Control::locked(&[Answer::Silence]).await;
    assert!(matches!(lock.convert("new", limit).await, Err(Error::Interrupted(None))));
    assert!(!lock.is_locked() && control.script().abandoned == 1);
}

#[tokio::test]
async fn a_bounded_wait_does_not_hang_in_its_settling() {
    let (control, mut lock) = Control::lock(&[Answer::Silence]);
    let limit = Duration::from_millis(20);
    assert!(lock.acquire(limit).await.is_err());
    control.script().settles.push_back(Answer::Silence);
    let start = Instant::now();
    assert!(matches!(lock.acquire(limit).await, Err(Error::Interrupted(None))));
    assert!(start.elapsed() <= limit + GRACE + LATE);
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
