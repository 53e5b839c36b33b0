//! Each answer to each call: the flag and the state that follow.

use crate::scripted::{Answer, Control};
use Answer::{Deadlock, Driver, Ends, Lost, Says};
use dlock_core::{Error, Wait};

const WAITS: [Wait; 3] = [Wait::No, Wait::For(std::time::Duration::from_secs(1)), Wait::Forever];

#[tokio::test]
async fn acquire_says_what_it_was_told() {
    let cases = [
        (Says(true), "Ok(true)", "locked"),
        (Says(false), "Ok(false)", "unlocked"),
        (Deadlock, "Err(Deadlock(Some(Fault)))", "unlocked"),
        (Driver, "Err(Driver(Fault))", "unlocked"),
        (Ends, "Err(Driver(Fault))", "closed"),
    ];
    for wait in WAITS {
        for (told, answer, state) in cases {
            let (control, mut lock) = Control::lock(&[told]);
            assert_eq!(format!("{:?}", lock.acquire(wait).await), answer, "{told:?}");
            assert_eq!(lock.to_string(), format!("{state} on key key"), "{told:?}");
            assert_eq!(lock.is_locked(), state == "locked");
            assert_eq!(lock.session().is_some(), state != "closed");
            assert_eq!(control.script().abandoned, 0);
        }
    }
}

/// What an acquire has left to the background, a close waits for.
#[tokio::test]
async fn an_acquire_that_could_not_be_settled_is_in_doubt() {
    let (control, mut lock) = Control::lock(&[Driver]);
    control.script().is_away = true;
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Driver(_))));
    assert_eq!(lock.to_string(), "in doubt on key key");
    control.script().settles.push_back(Driver);
    assert!(lock.close().await.is_err() && lock.session().is_none());
    lock.close().await.unwrap();
    assert_eq!(lock.to_string(), "unlocked on key key");
    assert!(lock.session().is_some() && control.script().abandoned == 0);
}

#[tokio::test]
async fn release_says_what_is_true_afterwards() {
    let cases = [
        (Says(true), "Ok(())", "unlocked"),
        (Says(false), "Err(Lost(None))", "unlocked"),
        (Lost, "Err(Lost(Some(Fault)))", "unlocked"),
        // As in an aborted transaction: the session holds the key as before.
        (Driver, "Err(Driver(Fault))", "locked"),
        (Ends, "Err(Lost(Some(Fault)))", "closed"),
    ];
    for (told, answer, state) in cases {
        for close in [false, true] {
            let (control, mut lock) = Control::locked(&[told]).await;
            let released = if close { lock.close().await } else { lock.release().await };
            assert_eq!(format!("{released:?}"), answer, "{told:?}");
            assert_eq!(lock.to_string(), format!("{state} on key key"), "{told:?}");
            assert_eq!(lock.is_locked(), state == "locked");
            assert_eq!(control.script().abandoned, 0);
        }
    }
}

#[tokio::test]
async fn a_lost_lock_on_a_live_session_goes_on() {
    let (_, mut lock) = Control::locked(&[Lost, Says(true), Says(true)]).await;
    assert!(matches!(lock.release().await, Err(Error::Lost(_))));
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    assert!(lock.acquire(Wait::No).await.unwrap());
    lock.release().await.unwrap();
}

#[tokio::test]
async fn a_failed_release_may_be_tried_again() {
    let (_, mut lock) = Control::locked(&[Driver, Says(true)]).await;
    assert!(matches!(lock.release().await, Err(Error::Driver(_))));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyLocked)));
    lock.release().await.unwrap();
    assert!(!lock.is_locked());
}

#[tokio::test]
async fn a_dead_session_is_lost_once_and_closed_from_then_on() {
    let (control, mut lock) = Control::locked(&[Ends]).await;
    assert!(matches!(lock.release().await, Err(Error::Lost(_))));
    assert!(matches!(lock.release().await, Err(Error::Closed)));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::Closed)));
    lock.close().await.unwrap();
    assert_eq!(control.script().calls, 2);
}

#[tokio::test]
async fn a_session_that_ended_between_calls_is_closed_and_says_so() {
    let (control, mut lock) = Control::lock(&[]);
    control.script().closed = true;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    assert!(matches!(lock.acquire(Wait::Forever).await, Err(Error::Closed)));
    assert_eq!(lock.to_string(), "closed on key key");
    assert!(lock.session().is_none());
    assert!(matches!(lock.release().await, Err(Error::Closed)));
    assert_eq!(control.script().calls, 0);
}

#[tokio::test]
async fn misuse_makes_no_round_trip() {
    let (control, mut lock) = Control::lock(&[]);
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    assert!(matches!(lock.upgrade(Wait::No).await, Err(Error::NotLocked)));
    assert!(matches!(lock.convert("x", Wait::No).await, Err(Error::NotLocked)));
    lock.close().await.unwrap();
    assert_eq!(control.script().calls, 0);
}

#[tokio::test]
async fn a_change_of_mode_keeps_the_lock_unless_it_is_lost() {
    let cases = [
        (Says(true), "Ok(true)", "locked"),
        (Says(false), "Ok(false)", "locked"),
        (Deadlock, "Err(Deadlock(Some(Fault)))", "locked"),
        (Driver, "Err(Driver(Fault))", "locked"),
        (Lost, "Err(Lost(Some(Fault)))", "unlocked"),
        (Ends, "Err(Lost(Some(Fault)))", "closed"),
    ];
    for (told, answer, state) in cases {
        let (_, mut lock) = Control::locked(&[told]).await;
        assert_eq!(format!("{:?}", lock.upgrade(Wait::No).await), answer, "{told:?}");
        assert_eq!(lock.to_string(), format!("{state} on key key"), "{told:?}");
        let (_, mut lock) = Control::locked(&[told]).await;
        assert_eq!(format!("{:?}", lock.convert("new", Wait::No).await), answer, "{told:?}");
        assert_eq!(lock.to_string(), format!("{state} on key key"), "{told:?}");
        assert_eq!(lock.mode(), if matches!(told, Says(true)) { "new" } else { "plain" });
    }
}
