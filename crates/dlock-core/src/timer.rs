use futures_timer::Delay;
use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// A timer that is kept from call to call, by a clock of its own: it needs no runtime with timers, and
/// a runtime whose clock is paused does not move it.
///
/// To put off a timer that is set costs one store: when it goes off too early it is set anew.
#[derive(Default)]
pub(crate) struct Timer(Option<Set>);

/// A timer that is set. To set one, and to take it back, wakes the thread that all timers share.
struct Set {
    due: Instant,
    delay: Delay,
}

thread_local! {
    /// Timers of locks that have gone, set still: a new lock needs not set one of its own.
    static SPARE: RefCell<Vec<Set>> = const { RefCell::new(Vec::new()) };
}

/// How many of those a thread keeps.
const MOST: usize = 16;

impl Timer {
    /// Set to a moment for one call.
    pub(crate) fn until(&mut self, end: Option<Instant>) -> Alarm<'_> {
        Alarm { timer: self, end }
    }
}

impl Set {
    /// One that goes off by then: too early rather than too late.
    fn by(end: Instant, now: Instant) -> Self {
        Self::spare(end, now)
            .unwrap_or_else(|| Self { due: end, delay: Delay::new(end.duration_since(now)) })
    }

    fn spare(end: Instant, now: Instant) -> Option<Self> {
        let found = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            spare.retain(|set| set.due > now);
            let fits = spare.iter().position(|set| set.due <= end)?;
            Some(spare.swap_remove(fits))
        });
        found.ok().flatten()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(set) = self.0.take() else { return };
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < MOST {
                spare.push(set);
            }
        });
    }
}

/// A [`Timer`] while a call is bounded by it.
#[derive(Debug)]
pub(crate) struct Alarm<'a> {
    timer: &'a mut Timer,
    /// `None`: the call has no bound.
    end: Option<Instant>,
}

impl Alarm<'_> {
    /// Ready when the time is over.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(end) = self.end else { return Poll::Pending };
        loop {
            let now = Instant::now();
            if end <= now {
                return Poll::Ready(());
            }
            let set = match &mut self.timer.0 {
                Some(set) if set.due <= end => set,
                timer => timer.insert(Set::by(end, now)),
            };
            if Pin::new(&mut set.delay).poll(context).is_pending() {
                return Poll::Pending;
            }
            self.timer.0 = None;
        }
    }
}

impl Drop for Alarm<'_> {
    /// Forgets who was to be woken: that would keep an answered call's task in memory.
    fn drop(&mut self) {
        if let Some(set) = &mut self.timer.0 {
            let _ = Pin::new(&mut set.delay).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("set", &self.0.is_some()).finish()
    }
}

/// Completes after so long, by the same clock: for waits in drivers and in the background.
///
/// # Cancel safety
/// May be dropped at any time.
pub async fn sleep(duration: Duration) {
    Delay::new(duration).await;
}

/// Runs a future for at most so long. `None`: the time was over first, and the future is dropped.
///
/// # Cancel safety
/// As the future's.
pub async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    let mut timer = Timer::default();
    let mut alarm = timer.until(Instant::now().checked_add(limit));
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => alarm.poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::{Timer, within};
    use std::future::{pending, poll_fn, ready};
    use std::time::{Duration, Instant};

    const SHORT: Duration = Duration::from_millis(30);

    async fn rings(timer: &mut Timer, end: Instant) -> Duration {
        let mut alarm = timer.until(Some(end));
        poll_fn(|context| alarm.poll(context)).await;
        end.elapsed()
    }

    /// On a runtime without timers.
    #[test]
    fn it_goes_off_in_time_each_time() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut timer = Timer::default();
            for factor in [1, 3, 2] {
                let late = rings(&mut timer, Instant::now() + SHORT * factor).await;
                assert!(late < Duration::from_secs(1), "{late:?}");
            }
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_paused_clock_does_not_move_it() {
        let start = Instant::now();
        assert_eq!(within(SHORT, pending::<()>()).await, None);
        assert!(start.elapsed() >= SHORT);
        assert_eq!(within(Duration::MAX, ready(7)).await, Some(7));
    }

    /// What another timer left is set for the time that it was left with.
    #[tokio::test]
    async fn one_that_was_left_goes_off_in_time() {
        for factor in [4, 2, 3, 1, 5] {
            let mut left = Timer::default();
            let end = Instant::now() + SHORT * factor;
            poll_fn(|context| {
                assert!(left.until(Some(end)).poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
        for factor in [3, 1, 2] {
            let late = rings(&mut Timer::default(), Instant::now() + SHORT * factor).await;
            assert!(late < Duration::from_secs(1), "{late:?}");
        }
    }

    /// A timer that was set for an earlier call goes off too early for the next one.
    #[tokio::test]
    async fn it_is_put_off() {
        let mut timer = Timer::default();
        let start = Instant::now();
        {
            let mut alarm = timer.until(Some(start + SHORT));
            poll_fn(|context| {
                assert!(alarm.poll(context).is_pending());
                std::task::Poll::Ready(())
            })
            .await;
        }
        rings(&mut timer, start + SHORT * 3).await;
        assert!(start.elapsed() >= SHORT * 3);
    }
}
