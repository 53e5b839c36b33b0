use crate::{Error, RawAbort, RawConvert, RawLock, RawUnlock, RawUpgrade, SessionRef, Wait};

/// How a call ended. An error is rare and large: it travels in a box, so that what is common is small.
pub(crate) type Answer<T, R> = Result<T, Box<Error<<R as RawLock>::Error>>>;

/// What is known about a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Unlocked,
    Locked,
    /// In doubt: a round trip was begun. Its future says how it ended, so another call sees this only
    /// where that future was forgotten (`mem::forget`).
    InFlight,
    /// In doubt: nobody waits for the answer any more, and the raw lock knows.
    InDoubt,
    /// The session has ended.
    Closed,
}

/// What a release is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// The caller asked for it, and can choose what to do when it fails.
    ByHand,
    /// A scope ends: nobody can choose.
    Ends,
}

/// A raw lock and what is known about it.
///
/// The state is in doubt before every await, so that a dropped future never leaves a lie behind.
pub(crate) struct Machine<R: RawLock> {
    pub(crate) raw: R,
    state: State,
}

impl<R: RawLock> Machine<R> {
    pub(crate) fn new(raw: R) -> Self {
        Self { raw, state: State::Unlocked }
    }

    pub(crate) fn map<Q: RawLock>(self, map: impl FnOnce(R) -> Q) -> Machine<Q> {
        Machine { raw: map(self.raw), state: self.state }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.state == State::Locked && !self.raw.is_closed()
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.state, State::InFlight | State::InDoubt)
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The session, unless the lock is in doubt or closed.
    pub(crate) fn session(&mut self) -> Option<SessionRef<'_, R>> {
        match self.state {
            State::Unlocked | State::Locked if !self.raw.is_closed() => self.raw.session(),
            _ => None,
        }
    }

    pub(crate) async fn acquire(&mut self, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let call = self.begin_unlocked()?;
        let answer = call.machine.raw.lock(wait.normal()).await;
        let state = match &answer {
            Ok(true) => State::Locked,
            // The background has the session: what was asked could not be settled.
            Err(_) if call.machine.raw.session().is_none() => State::InDoubt,
            _ => State::Unlocked,
        };
        call.answered(state);
        Ok(answer?)
    }

    /// Brings a lock that is in doubt out of it: afterwards it is unlocked or closed, and that is true.
    /// Who calls it looks first: most are not, and one future less is polled.
    pub(crate) async fn settle(&mut self) -> Answer<(), R> {
        self.abandon();
        self.raw.settle().await?;
        self.state = if self.raw.is_closed() { State::Closed } else { State::Unlocked };
        Ok(())
    }

    /// Lets go in the background, if locked or if a call was forgotten.
    pub(crate) fn abandon(&mut self) {
        if matches!(self.state, State::Locked | State::InFlight) {
            self.doubt();
        }
    }

    fn doubt(&mut self) {
        self.state = State::InDoubt;
        self.raw.abandon();
    }
}

impl<R: RawUnlock> Machine<R> {
    pub(crate) async fn release(&mut self, scope: Scope) -> Answer<(), R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let call = self.begin_locked()?;
        let raw = &mut call.machine.raw;
        let unlocked = match scope {
            Scope::ByHand => raw.unlock().await,
            Scope::Ends => raw.unlock_scope().await,
        };
        match unlocked {
            Ok(true) => call.answered(State::Unlocked),
            Ok(false) => {
                call.answered(State::Unlocked);
                return Err(Error::Lost(None).into());
            }
            Err(error) => return Err(call.fail(error)),
        }
        Ok(())
    }
}

impl<R: RawUnlock> Machine<R> {
    /// Makes sure that the key is not held, also where the session was lost without an answer.
    pub(crate) async fn close(&mut self) -> Answer<(), R> {
        match self.state {
            State::Locked => self.release(Scope::ByHand).await,
            State::Unlocked => Ok(()),
            State::InFlight | State::InDoubt | State::Closed => self.settle().await,
        }
    }
}

impl<R: RawAbort> Machine<R> {
    /// Ends the session, whatever is held over it.
    pub(crate) async fn abort(&mut self) -> Answer<(), R> {
        self.state = State::InDoubt;
        self.raw.end().await?;
        self.state = State::Closed;
        Ok(())
    }
}

impl<R: RawUpgrade> Machine<R> {
    pub(crate) async fn upgrade(&mut self, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let call = self.begin_locked()?;
        let answer = call.machine.raw.upgrade(wait.normal()).await;
        call.still_locked(answer)
    }
}

impl<R: RawConvert> Machine<R> {
    pub(crate) async fn convert(&mut self, mode: R::Mode, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let call = self.begin_locked()?;
        let answer = call.machine.raw.convert(mode, wait.normal()).await;
        call.still_locked(answer)
    }
}

impl<R: RawLock> Machine<R> {
    /// Begins a round trip of a lock that must not be held.
    fn begin_unlocked(&mut self) -> Answer<InFlight<'_, R>, R> {
        match self.state {
            State::Closed => Err(Error::Closed.into()),
            // The loss is for the release to tell.
            State::Locked if self.raw.is_closed() => Err(Error::Closed.into()),
            State::Locked => Err(Error::AlreadyLocked.into()),
            _ if self.raw.is_closed() => {
                self.state = State::Closed;
                Err(Error::Closed.into())
            }
            State::Unlocked | State::InFlight | State::InDoubt => Ok(InFlight::begin(self)),
        }
    }

    /// Begins a round trip of a lock that must be held.
    fn begin_locked(&mut self) -> Answer<InFlight<'_, R>, R> {
        match self.state {
            State::Unlocked | State::InFlight | State::InDoubt => Err(Error::NotLocked.into()),
            State::Closed => Err(Error::Closed.into()),
            State::Locked => Ok(InFlight::begin(self)),
        }
    }
}

/// A call in flight: the lock is in doubt until it is answered, and abandoned if it never is.
struct InFlight<'a, R: RawLock> {
    machine: &'a mut Machine<R>,
    answered: bool,
}

impl<'a, R: RawLock> InFlight<'a, R> {
    fn begin(machine: &'a mut Machine<R>) -> Self {
        machine.state = State::InFlight;
        Self { machine, answered: false }
    }

    /// The answer is known. A session that has ended holds nothing, whatever the answer was.
    fn answered(mut self, state: State) {
        self.answered = true;
        let ended = state != State::Locked && self.machine.raw.is_closed();
        self.machine.state = if ended { State::Closed } else { state };
    }

    /// A call on a held lock failed: it is lost where the server or the session's end says so.
    fn fail(self, error: Error<R::Error>) -> Box<Error<R::Error>> {
        let ended = self.machine.raw.is_closed();
        let lost = ended || matches!(error, Error::Lost(_));
        self.answered(if lost { State::Unlocked } else { State::Locked });
        Box::new(if ended { error.into_lost() } else { error })
    }

    /// A change of mode was answered.
    fn still_locked(self, answer: Result<bool, Error<R::Error>>) -> Answer<bool, R> {
        match answer {
            Ok(changed) => {
                self.answered(State::Locked);
                Ok(changed)
            }
            Err(error) => Err(self.fail(error)),
        }
    }
}

impl<R: RawLock> Drop for InFlight<'_, R> {
    fn drop(&mut self) {
        if !self.answered {
            self.machine.doubt();
        }
    }
}
