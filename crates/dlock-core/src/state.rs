use crate::{Error, RawConvert, RawLock, RawUnlock, RawUpgrade, SessionRef, Wait};

/// How a call ended. An error is rare and large: it travels in a box, so that what is common is small.
pub(crate) type Answer<T, R> = Result<T, Box<Error<<R as RawLock>::Error>>>;

/// What is known about a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Unlocked,
    Locked,
    /// In doubt: a round trip was begun. Its future says how it ended, so another call sees this only
    /// where that future was forgotten (`mem::forget`).
    UnderWay,
    /// In doubt: nobody waits for the answer any more, and the raw lock was told so.
    InDoubt,
    /// The session has ended.
    Closed,
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

    pub(crate) fn is_locked(&self) -> bool {
        self.state == State::Locked
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        matches!(self.state, State::UnderWay | State::InDoubt)
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The session, unless the lock is in doubt or closed.
    pub(crate) fn session(&mut self) -> Option<SessionRef<'_, R>> {
        match self.state {
            State::Unlocked | State::Locked => self.raw.session(),
            State::UnderWay | State::InDoubt | State::Closed => None,
        }
    }

    pub(crate) async fn acquire(&mut self, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let flight = self.begin_unlocked()?;
        let answer = flight.machine.raw.lock(wait.normal()).await;
        flight.land(if matches!(answer, Ok(true)) { State::Locked } else { State::Unlocked });
        Ok(answer?)
    }

    /// Brings a lock that is in doubt out of it: afterwards it is unlocked or closed, and that is true.
    /// Who calls it looks first: most are not, and one future less is polled.
    pub(crate) async fn settle(&mut self) -> Answer<(), R> {
        debug_assert!(self.is_in_doubt(), "what is known is not settled");
        self.abandon();
        let settled = self.raw.settle().await;
        match self.raw.is_closed() {
            true => self.state = State::Closed,
            false if settled.is_ok() => self.state = State::Unlocked,
            false => settled?,
        }
        Ok(())
    }

    /// Lets go in the background, if locked or if a call was forgotten.
    pub(crate) fn abandon(&mut self) {
        if matches!(self.state, State::Locked | State::UnderWay) {
            self.doubt();
        }
    }

    fn doubt(&mut self) {
        self.state = State::InDoubt;
        self.raw.abandon();
    }
}

impl<R: RawUnlock> Machine<R> {
    pub(crate) async fn release(&mut self) -> Answer<(), R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let flight = self.begin_locked()?;
        match flight.machine.raw.unlock().await {
            Ok(true) => flight.land(State::Unlocked),
            Ok(false) => {
                flight.land(State::Unlocked);
                return Err(Error::Lost(None).into());
            }
            Err(error) => return Err(flight.fail(error)),
        }
        Ok(())
    }
}

impl<R: RawUpgrade> Machine<R> {
    pub(crate) async fn upgrade(&mut self, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let flight = self.begin_locked()?;
        let answer = flight.machine.raw.upgrade(wait.normal()).await;
        flight.land_locked(answer)
    }
}

impl<R: RawConvert> Machine<R> {
    pub(crate) async fn convert(&mut self, mode: R::Mode, wait: Wait) -> Answer<bool, R> {
        if self.is_in_doubt() {
            self.settle().await?;
        }
        let flight = self.begin_locked()?;
        let answer = flight.machine.raw.convert(mode, wait.normal()).await;
        flight.land_locked(answer)
    }
}

impl<R: RawLock> Machine<R> {
    /// Begins a round trip of a lock that must not be held.
    fn begin_unlocked(&mut self) -> Answer<Flight<'_, R>, R> {
        match self.state {
            State::Locked => Err(Error::AlreadyLocked.into()),
            State::Closed => Err(Error::Closed.into()),
            State::Unlocked | State::UnderWay | State::InDoubt if self.raw.is_closed() => {
                self.state = State::Closed;
                Err(Error::Closed.into())
            }
            State::Unlocked | State::UnderWay | State::InDoubt => Ok(Flight::begin(self)),
        }
    }

    /// Begins a round trip of a lock that must be held.
    fn begin_locked(&mut self) -> Answer<Flight<'_, R>, R> {
        match self.state {
            State::Unlocked | State::UnderWay | State::InDoubt => Err(Error::NotLocked.into()),
            State::Closed => Err(Error::Closed.into()),
            State::Locked => Ok(Flight::begin(self)),
        }
    }
}

/// A round trip under way: the lock is in doubt until it lands, and abandoned if it never does.
struct Flight<'a, R: RawLock> {
    machine: &'a mut Machine<R>,
    landed: bool,
}

impl<'a, R: RawLock> Flight<'a, R> {
    fn begin(machine: &'a mut Machine<R>) -> Self {
        machine.state = State::UnderWay;
        Self { machine, landed: false }
    }

    /// The answer is known. A session that has ended holds nothing, whatever the answer was.
    fn land(mut self, state: State) {
        self.landed = true;
        let ended = state != State::Locked && self.machine.raw.is_closed();
        self.machine.state = if ended { State::Closed } else { state };
    }

    /// A call on a held lock failed: it is lost where the server or the session's end says so.
    fn fail(self, error: Error<R::Error>) -> Box<Error<R::Error>> {
        let ended = self.machine.raw.is_closed();
        let lost = ended || matches!(error, Error::Lost(_));
        self.land(if lost { State::Unlocked } else { State::Locked });
        Box::new(if ended { error.into_lost() } else { error })
    }

    /// A change of mode was answered.
    fn land_locked(self, answer: Result<bool, Error<R::Error>>) -> Answer<bool, R> {
        match answer {
            Ok(changed) => {
                self.land(State::Locked);
                Ok(changed)
            }
            Err(error) => Err(self.fail(error)),
        }
    }
}

impl<R: RawLock> Drop for Flight<'_, R> {
    fn drop(&mut self) {
        if !self.landed {
            self.machine.doubt();
        }
    }
}
