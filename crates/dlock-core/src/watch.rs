use crate::state::{Machine, Scope};
use crate::timer::{Alarm, Timer};
use crate::trace::{Call, Outcome};
use crate::{Error, GRACE, RawAbort, RawConvert, RawLock, RawUnlock, RawUpgrade, Wait};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Instant;

/// A machine whose calls are traced and bounded.
pub(crate) struct Watched<R: RawLock> {
    pub(crate) machine: Machine<R>,
    timer: Timer,
}

impl<R: RawLock> Watched<R> {
    pub(crate) fn new(raw: R) -> Self {
        Self { machine: Machine::new(raw), timer: Timer::default() }
    }

    pub(crate) fn map<Q: RawLock>(self, map: impl FnOnce(R) -> Q) -> Watched<Q> {
        Watched { machine: self.machine.map(map), timer: self.timer }
    }

    pub(crate) async fn acquire(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "acquire", Some(wait));
        let alarm = self.timer.until(overdue(wait));
        watch(call, alarm, pin!(self.machine.acquire(wait))).await
    }

    /// When a call that waits for nobody's key is overdue.
    fn soon(&self) -> Option<Instant> {
        Instant::now().checked_add(GRACE.saturating_add(self.machine.raw.longest_statement()))
    }
}

impl<R: RawUnlock> Watched<R> {
    pub(crate) async fn release(&mut self, scope: Scope) -> Result<(), Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "release", None);
        let alarm = self.timer.until(self.soon());
        watch(call, alarm, pin!(self.machine.release(scope))).await
    }

    /// Releases if locked.
    pub(crate) async fn close(&mut self) -> Result<(), Error<R::Error>> {
        if self.machine.is_locked() {
            return self.release(Scope::ByHand).await;
        }
        let alarm = self.timer.until(self.soon());
        watch(None, alarm, pin!(self.machine.close())).await
    }
}

impl<R: RawAbort> Watched<R> {
    pub(crate) async fn abort(&mut self) -> Result<(), Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "abort", None);
        let alarm = self.timer.until(self.soon());
        watch(call, alarm, pin!(self.machine.abort())).await
    }
}

impl<R: RawUpgrade> Watched<R> {
    pub(crate) async fn upgrade(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "upgrade", Some(wait));
        let alarm = self.timer.until(overdue(wait));
        watch(call, alarm, pin!(self.machine.upgrade(wait))).await
    }
}

impl<R: RawConvert> Watched<R> {
    pub(crate) async fn convert(
        &mut self,
        mode: R::Mode,
        wait: Wait,
    ) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "convert", Some(wait));
        let alarm = self.timer.until(overdue(wait));
        watch(call, alarm, pin!(self.machine.convert(mode, wait))).await
    }
}

/// When a call with this wait is overdue; `None` where it has no bound.
fn overdue(wait: Wait) -> Option<Instant> {
    Instant::now().checked_add(wait.limit()?.saturating_add(GRACE))
}

/// Runs a call inside its span and says how it ended. One that is not answered before the alarm ends
/// there: the lock is then in doubt, and says so.
///
/// The call comes pinned: a future is as large as all that it may become, and would be copied into each
/// future around it.
fn watch<T: Outcome, E>(
    call: Option<Call>,
    mut alarm: Alarm<'_>,
    mut future: Pin<&mut impl Future<Output = Result<T, Box<Error<E>>>>>,
) -> impl Future<Output = Result<T, Error<E>>> {
    poll_fn(move |context| {
        let inside = call.as_ref().map(Call::enter);
        let mut answer = future.as_mut().poll(context);
        if answer.is_pending() {
            answer = alarm.poll(context).map(|()| Err(Error::Interrupted(None).into()));
        }
        drop(inside);
        if let (Some(call), Poll::Ready(answer)) = (&call, &answer) {
            call.end(answer);
        }
        answer.map_err(|error| *error)
    })
}
