use crate::alarm::Alarm;
use crate::trace::{call, traced};
use crate::{Error, GRACE, RawConvert, RawLock, RawUnlock, RawUpgrade, SessionRef, Wait};
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};

/// What is known about a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Unlocked,
    Locked,
    /// A round trip was begun and its answer is not known.
    InDoubt,
    /// The session has ended.
    Closed,
}

/// A raw lock and what is known about it.
///
/// The state says *in doubt* before every await, so that a dropped future never leaves a lie behind.
pub(crate) struct Machine<R: RawLock> {
    pub(crate) raw: R,
    state: State,
    alarm: Alarm,
}

impl<R: RawLock> Machine<R> {
    pub(crate) fn new(raw: R) -> Self {
        Self { raw, state: State::Unlocked, alarm: Alarm::default() }
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.state == State::Locked
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The session, unless the lock is in doubt or closed.
    pub(crate) fn session(&mut self) -> Option<SessionRef<'_, R>> {
        match self.state {
            State::Unlocked | State::Locked => self.raw.session(),
            State::InDoubt | State::Closed => None,
        }
    }

    pub(crate) async fn acquire(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let span = call(&self.raw, "acquire", Some(wait));
        let mut alarm = mem::take(&mut self.alarm);
        let answer = {
            let call = pin!(self.acquire_now(wait));
            traced(span, pin!(bounded(&mut alarm, wait, call))).await
        };
        self.alarm = alarm;
        answer
    }

    async fn acquire_now(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        if self.state == State::InDoubt {
            self.settle().await?;
        }
        match self.state {
            State::Locked => return Err(Error::AlreadyLocked),
            State::Closed => return Err(Error::Closed),
            State::Unlocked | State::InDoubt if self.raw.is_closed() => {
                self.state = State::Closed;
                return Err(Error::Closed);
            }
            State::Unlocked | State::InDoubt => {}
        }
        let flight = Flight::begin(self);
        let answer = flight.machine.raw.lock(wait.normal()).await;
        flight.land(if matches!(answer, Ok(true)) { State::Locked } else { State::Unlocked });
        answer
    }

    /// Brings a lock that is in doubt out of it: afterwards it is unlocked or closed, and that is true.
    pub(crate) async fn settle(&mut self) -> Result<(), Error<R::Error>> {
        let settled = self.raw.settle().await;
        match self.raw.is_closed() {
            true => self.state = State::Closed,
            false if settled.is_ok() => self.state = State::Unlocked,
            false => return settled,
        }
        Ok(())
    }

    /// Lets go in the background, if locked.
    pub(crate) fn abandon(&mut self) {
        if self.state == State::Locked {
            self.state = State::InDoubt;
            self.raw.abandon();
        }
    }
}

impl<R: RawUnlock> Machine<R> {
    pub(crate) async fn release(&mut self) -> Result<(), Error<R::Error>> {
        let span = call(&self.raw, "release", None);
        traced(span, pin!(self.release_now())).await
    }

    async fn release_now(&mut self) -> Result<(), Error<R::Error>> {
        let flight = self.begin_locked().await?;
        match flight.machine.raw.unlock().await {
            Ok(true) => flight.land(State::Unlocked),
            Ok(false) => {
                flight.land(State::Unlocked);
                return Err(Error::Lost(None));
            }
            Err(error) => return Err(flight.fail(error)),
        }
        Ok(())
    }

    pub(crate) async fn close(&mut self) -> Result<(), Error<R::Error>> {
        if self.state == State::InDoubt {
            self.settle().await?;
        }
        match self.state {
            State::Locked => self.release().await,
            _ => Ok(()),
        }
    }
}

impl<R: RawUpgrade> Machine<R> {
    pub(crate) async fn upgrade(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let span = call(&self.raw, "upgrade", Some(wait));
        let change = pin!(async {
            let flight = self.begin_locked().await?;
            let answer = flight.machine.raw.upgrade(wait.normal()).await;
            flight.land_locked(answer)
        });
        traced(span, pin!(bounded(&mut Alarm::default(), wait, change))).await
    }
}

impl<R: RawConvert> Machine<R> {
    pub(crate) async fn convert(
        &mut self,
        mode: R::Mode,
        wait: Wait,
    ) -> Result<bool, Error<R::Error>> {
        let span = call(&self.raw, "convert", Some(wait));
        let change = pin!(async {
            let flight = self.begin_locked().await?;
            let answer = flight.machine.raw.convert(mode, wait.normal()).await;
            flight.land_locked(answer)
        });
        traced(span, pin!(bounded(&mut Alarm::default(), wait, change))).await
    }
}

impl<R: RawLock> Machine<R> {
    /// Begins a round trip of a lock that must be held.
    async fn begin_locked(&mut self) -> Result<Flight<'_, R>, Error<R::Error>> {
        if self.state == State::InDoubt {
            self.settle().await?;
        }
        match self.state {
            State::Unlocked | State::InDoubt => Err(Error::NotLocked),
            State::Closed => Err(Error::Closed),
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
        machine.state = State::InDoubt;
        Self { machine, landed: false }
    }

    /// The answer is known. A session that has ended holds nothing, whatever the answer was.
    fn land(mut self, state: State) {
        self.landed = true;
        let ended = state != State::Locked && self.machine.raw.is_closed();
        self.machine.state = if ended { State::Closed } else { state };
    }

    /// A call on a held lock failed: it is lost where the server or the session's end says so.
    fn fail(self, error: Error<R::Error>) -> Error<R::Error> {
        let ended = self.machine.raw.is_closed();
        let lost = ended || matches!(error, Error::Lost(_));
        self.land(if lost { State::Unlocked } else { State::Locked });
        if ended { error.into_lost() } else { error }
    }

    /// A change of mode was answered.
    fn land_locked(self, answer: Result<bool, Error<R::Error>>) -> Result<bool, Error<R::Error>> {
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
            self.machine.raw.abandon();
        }
    }
}

/// Ends a bounded call that the server never answers. The lock is then in doubt, and says so.
async fn bounded<T, E>(
    alarm: &mut Alarm,
    wait: Wait,
    call: Pin<&mut impl Future<Output = Result<T, Error<E>>>>,
) -> Result<T, Error<E>> {
    match wait.limit() {
        None => call.await,
        Some(limit) => alarm
            .bound(limit.saturating_add(GRACE), call)
            .await
            .unwrap_or(Err(Error::Interrupted(None))),
    }
}
