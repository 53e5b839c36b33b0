use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is kept from call to call.
///
/// To put off a timer that is set costs one store; to set a new one before the others wakes the
/// runtime's driver. When it goes off between two calls, nobody listens.
#[derive(Default)]
pub(crate) struct Alarm(Option<(Id, Pin<Box<Sleep>>)>);

impl Alarm {
    /// The output of `call`, unless `limit` is over first.
    ///
    /// The call comes pinned: a future is as large as all that it may become, and would be copied
    /// into each future around it.
    pub(crate) async fn bound<T>(
        &mut self,
        limit: Duration,
        mut call: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let Some(deadline) = Instant::now().checked_add(limit) else {
            return Some(call.await);
        };
        let sleep = self.set(deadline);
        poll_fn(|context| match call.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => sleep.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Puts it off, or sets a new one where there is none on this runtime.
    fn set(&mut self, deadline: Instant) -> &mut Pin<Box<Sleep>> {
        let here = Handle::current().id();
        match &mut self.0 {
            Some((runtime, sleep)) if *runtime == here => sleep.as_mut().reset(deadline),
            other => *other = Some((here, Box::pin(sleep_until(deadline)))),
        }
        let (_, sleep) = self.0.as_mut().expect("it was just set");
        sleep
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
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::time::Duration;
    use tokio::runtime::Builder;
    use tokio::time::{Instant, sleep};

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_goes_off_in_time_each_time() {
        let mut alarm = Alarm::default();
        for limit in [SECOND, SECOND * 3, SECOND * 2] {
            assert_eq!(alarm.bound(limit, pin!(ready(7))).await, Some(7));
            let start = Instant::now();
            assert_eq!(alarm.bound(limit, pin!(pending::<()>())).await, None);
            assert!(start.elapsed() - limit <= Duration::from_millis(1), "{limit:?}");
            assert_eq!(alarm.bound(limit, pin!(ready(7))).await, Some(7));
            // It goes off while nobody listens.
            sleep(limit * 2).await;
        }
        assert_eq!(alarm.bound(Duration::MAX, pin!(ready(7))).await, Some(7));
    }

    /// The lock was moved to another runtime, and the first one has ended.
    #[test]
    fn it_follows_to_another_runtime() {
        let mut alarm = Alarm::default();
        for _ in 0..2 {
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            let limit = Duration::from_millis(5);
            assert_eq!(runtime.block_on(alarm.bound(limit, pin!(pending::<()>()))), None);
            assert_eq!(runtime.block_on(alarm.bound(SECOND, pin!(ready(7)))), Some(7));
        }
    }
}
