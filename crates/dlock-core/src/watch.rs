use crate::alarm::Alarm;
use crate::state::Machine;
use crate::trace::{Call, Outcome};
use crate::{Error, RawConvert, RawLock, RawUnlock, RawUpgrade, Wait};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::task::Poll;
use tokio::time::Sleep;

/// A machine whose calls are traced, and bounded where their wait is.
pub(crate) struct Watched<R: RawLock> {
    pub(crate) machine: Machine<R>,
    /// Of the last acquire.
    alarm: Alarm,
}

impl<R: RawLock> Watched<R> {
    pub(crate) fn new(raw: R) -> Self {
        Self { machine: Machine::new(raw), alarm: Alarm::default() }
    }

    pub(crate) async fn acquire(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "acquire", Some(wait));
        // A dropped call takes its alarm along.
        let mut alarm = mem::take(&mut self.alarm);
        let answer = watch(call, alarm.set(wait), pin!(self.machine.acquire(wait))).await;
        self.alarm = alarm;
        answer
    }
}

impl<R: RawUnlock> Watched<R> {
    pub(crate) async fn release(&mut self) -> Result<(), Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "release", None);
        watch(call, None, pin!(self.machine.release())).await
    }

    /// Releases if locked.
    pub(crate) async fn close(&mut self) -> Result<(), Error<R::Error>> {
        if self.machine.is_in_doubt() {
            self.machine.settle().await.map_err(|error| *error)?;
        }
        if self.machine.is_locked() { self.release().await } else { Ok(()) }
    }
}

impl<R: RawUpgrade> Watched<R> {
    pub(crate) async fn upgrade(&mut self, wait: Wait) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "upgrade", Some(wait));
        watch(call, Alarm::default().set(wait), pin!(self.machine.upgrade(wait))).await
    }
}

impl<R: RawConvert> Watched<R> {
    pub(crate) async fn convert(
        &mut self,
        mode: R::Mode,
        wait: Wait,
    ) -> Result<bool, Error<R::Error>> {
        let call = Call::begin(&self.machine.raw, "convert", Some(wait));
        watch(call, Alarm::default().set(wait), pin!(self.machine.convert(mode, wait))).await
    }
}

/// Runs a call inside its span and says how it ended. One that is not answered before the alarm ends
/// there: the lock is then in doubt, and says so.
///
/// The call comes pinned: a future is as large as all that it may become, and would be copied into each
/// future around it.
fn watch<T: Outcome, E>(
    call: Option<Call>,
    mut alarm: Option<Pin<&mut Sleep>>,
    mut future: Pin<&mut impl Future<Output = Result<T, Box<Error<E>>>>>,
) -> impl Future<Output = Result<T, Error<E>>> {
    poll_fn(move |context| {
        let inside = call.as_ref().map(Call::enter);
        let mut answer = future.as_mut().poll(context);
        if let (Poll::Pending, Some(alarm)) = (&answer, &mut alarm) {
            answer = alarm.as_mut().poll(context).map(|()| Err(Error::Interrupted(None).into()));
        }
        drop(inside);
        if let (Some(call), Poll::Ready(answer)) = (&call, &answer) {
            call.end(answer);
        }
        answer.map_err(|error| *error)
    })
}
