use dlock_core::Error;

/// What a step came to, in words that every driver shares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The lock was acquired.
    Acquired,
    /// It was not, since the key is held elsewhere.
    HeldElsewhere,
    /// The wait was dropped.
    Dropped,
    /// It was released, or there was nothing to do.
    Done,
    /// [`Error::AlreadyLocked`].
    AlreadyLocked,
    /// [`Error::NotLocked`].
    NotLocked,
    /// [`Error::AlreadyHeld`].
    AlreadyHeld,
    /// [`Error::Deadlock`].
    Deadlock,
    /// [`Error::Lost`].
    Lost,
    /// The session has ended. Drivers learn that at different times, and say it in different ways.
    Ended,
    /// None of these.
    Other,
}

impl Outcome {
    pub(super) fn of<T, E>(
        answer: Result<T, Error<E>>,
        meaning: impl FnOnce(T) -> Outcome,
    ) -> Outcome {
        match answer {
            Ok(value) => meaning(value),
            Err(Error::TimedOut) => Outcome::HeldElsewhere,
            Err(Error::AlreadyLocked) => Outcome::AlreadyLocked,
            Err(Error::NotLocked) => Outcome::NotLocked,
            Err(Error::AlreadyHeld) => Outcome::AlreadyHeld,
            Err(Error::Deadlock(_)) => Outcome::Deadlock,
            Err(Error::Lost(_)) => Outcome::Lost,
            Err(Error::Closed | Error::Interrupted(_) | Error::Driver(_)) => Outcome::Ended,
            Err(_) => Outcome::Other,
        }
    }

    pub(super) fn of_acquire<E>(answer: Result<bool, Error<E>>) -> Outcome {
        let held = |held| if held { Outcome::Acquired } else { Outcome::HeldElsewhere };
        Self::of(answer, held)
    }
}
