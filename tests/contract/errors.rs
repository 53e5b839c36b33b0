//! Errors are easy to match, to pass on and to keep.

use crate::is_send_and_static;
use dlock_db::{Error, KeyError, LocksError, Lost, WithError};
use std::fmt;
use std::io;

fn is_kept<E: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn each_may_be_kept_anywhere() {
    is_kept::<Error<io::Error>>();
    is_kept::<LocksError<io::Error>>();
    is_kept::<KeyError>();
    is_kept::<Lost>();
    is_kept::<WithError<u8, io::Error>>();
}

/// An error of the user's own takes each by `?`.
#[derive(Debug, thiserror::Error)]
enum Mine {
    #[error("the lock said so")]
    Lock(#[from] Error<io::Error>),
    #[error("the locks said so")]
    Locks(#[from] LocksError<io::Error>),
    #[error("lost")]
    Lost(#[from] Lost),
    #[error("no key")]
    Key(#[from] KeyError),
}

fn fails<T, E>(error: E) -> Result<T, E> {
    Err(error)
}

fn into_mine(which: u8) -> Result<(), Mine> {
    match which {
        0 => fails(Error::TimedOut)?,
        1 => fails(LocksError::Closed)?,
        _ => fails(KeyError::Empty)?,
    }
    Ok(())
}

fn into_anyhow(which: u8) -> anyhow::Result<()> {
    match which {
        0 => fails::<(), Error<io::Error>>(Error::TimedOut)?,
        1 => fails::<(), LocksError<io::Error>>(LocksError::Closed)?,
        _ => fails::<(), KeyError>(KeyError::Empty)?,
    }
    Ok(())
}

#[test]
fn each_is_passed_on() {
    assert!(matches!(into_mine(0), Err(Mine::Lock(Error::TimedOut))));
    assert!(matches!(into_mine(1), Err(Mine::Locks(LocksError::Closed))));
    assert!(matches!(into_mine(2), Err(Mine::Key(KeyError::Empty))));
    let kept = into_anyhow(0).expect_err("it fails");
    assert!(matches!(kept.downcast_ref(), Some(Error::<io::Error>::TimedOut)), "{kept}");
}

/// Each variant that is in the contract, by its shape.
fn described(error: &Error<io::Error>) -> String {
    match error {
        Error::TimedOut | Error::AlreadyLocked | Error::NotLocked | Error::AlreadyHeld => "state",
        Error::WrongMode | Error::Closed => "state",
        Error::Key(KeyError::Empty) => "key",
        Error::Key(_) => "key",
        Error::Deadlock(source) | Error::Lost(source) | Error::Interrupted(source) => {
            let _: &Option<io::Error> = source;
            "server"
        }
        Error::Refused { code, meaning } => return format!("{code} {meaning}"),
        Error::Setup { advice, source: None | Some(_) } => advice,
        Error::Driver(source) => return source.to_string(),
        _ => "new",
    }
    .to_owned()
}

#[test]
fn each_is_one_sentence_and_keeps_its_source() {
    use std::error::Error as _;
    let source = || io::Error::other("what the driver said");
    let errors = [
        Error::TimedOut,
        Error::Deadlock(Some(source())),
        Error::Lost(None),
        Error::Driver(source()),
        Error::Refused { code: 7, meaning: "seven" },
        Error::Setup { advice: "grant it", source: Some(source()) },
    ];
    assert_eq!(described(&errors[4]), "7 seven");
    for error in errors {
        assert!(!error.to_string().is_empty() && !error.to_string().contains('\n'));
        assert_eq!(error.source().is_some(), error.driver().is_some(), "{error:?}");
    }
}

#[test]
fn a_scope_that_was_not_left_keeps_its_value() {
    let failure = WithError { value: Some(7), error: Error::<io::Error>::Lost(None) };
    assert_eq!(failure.value, Some(7));
    let failure = is_send_and_static(failure);
    let error: Error<io::Error> = failure.into();
    assert!(matches!(error, Error::Lost(None)), "{error}");
}

/// What a lock over a borrowed session fails with holds that lock, and so the borrow: the error alone does not.
#[cfg(feature = "memory")]
#[tokio::test]
async fn what_borrows_is_passed_on_without_the_lock() -> anyhow::Result<()> {
    use dlock_db::memory::{Database, Error, Lock};
    let database = Database::new();
    let (holder, session) = (database.session(), database.session());
    let mut held = Lock::new(&holder, "borrowed")?;
    let guard = held.lock().await?;
    let tried = async || -> anyhow::Result<()> {
        let guard = Lock::new(&session, "borrowed")?.try_lock_owned().await.map_err(Error::from)?;
        guard.release().await.map_err(Error::from)?;
        Ok(())
    };
    let error = tried().await.expect_err("it is held elsewhere");
    assert!(matches!(error.downcast_ref(), Some(Error::TimedOut)), "{error}");
    guard.release().await?;
    tried().await
}

/// What is given back may be dropped without a word.
#[cfg(feature = "memory")]
#[tokio::test]
#[deny(unused_must_use)]
async fn what_a_release_gives_back_may_be_dropped() -> Result<(), dlock_db::memory::Error> {
    use dlock_db::memory::{Database, Lock};
    let guard = Lock::new(Database::new().session(), "dropped")?.lock_owned().await?;
    guard.release().await?;
    Ok(())
}

#[allow(dead_code)]
fn is_displayed<E: fmt::Display + fmt::Debug>(error: E) -> String {
    format!("{error} {error:?}")
}
