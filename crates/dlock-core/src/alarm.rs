use crate::{GRACE, Wait};
use std::fmt;
use std::pin::Pin;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is kept from call to call.
///
/// To put off a timer that is set costs one store; to set a new one before the others wakes the
/// runtime's driver. When it goes off after its call was answered, nobody listens; until then it keeps that
/// call's task in memory.
#[derive(Default)]
pub(crate) struct Alarm(Option<(Id, Pin<Box<Sleep>>)>);

impl Alarm {
    /// Puts it off until a call with this wait is overdue, or sets a new one where there is none on this
    /// runtime. `None`: the call has no bound.
    pub(crate) fn set(&mut self, wait: Wait) -> Option<Pin<&mut Sleep>> {
        let limit = wait.limit()?.saturating_add(GRACE);
        let deadline = Instant::now().checked_add(limit)?;
        let here = Handle::current().id();
        match &mut self.0 {
            Some((runtime, sleep)) if *runtime == here => sleep.as_mut().reset(deadline),
            other => *other = Some((here, Box::pin(sleep_until(deadline)))),
        }
        self.0.as_mut().map(|(_, sleep)| sleep.as_mut())
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alarm").field("set", &self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Alarm;
    use crate::{GRACE, Wait};
    use std::time::Duration;
    use tokio::runtime::Builder;
    use tokio::time::{Instant, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_in_time_each_time() {
        let mut alarm = Alarm::default();
        for limit in [SECOND, SECOND * 3, SECOND * 2] {
            // Put off before it went off.
            assert!(alarm.set(Wait::For(limit)).is_some());
            let start = Instant::now();
            alarm.set(Wait::For(limit)).unwrap().await;
            let late = start.elapsed().checked_sub(limit + GRACE).unwrap();
            assert!(late <= Duration::from_millis(1), "{limit:?}");
            // It goes off while nobody listens.
            assert!(alarm.set(Wait::For(limit)).is_some());
            sleep((limit + GRACE) * 2).await;
        }
    }

    #[tokio::test]
    async fn there_is_none_without_a_bound() {
        let mut alarm = Alarm::default();
        assert!(alarm.set(Wait::Forever).is_none());
        assert!(alarm.set(Wait::For(Duration::MAX)).is_none());
        assert!(alarm.set(Wait::No).is_some());
    }

    /// The lock was moved to another runtime, and the first one has ended.
    #[test]
    fn it_follows_to_another_runtime() {
        let mut alarm = Alarm::default();
        for _ in 0..2 {
            let runtime =
                Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async { alarm.set(Wait::For(SECOND)).unwrap().await });
        }
    }
}
