use dlock_testkit::locks::Link;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How what is sent to the database gets there.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    delay: Duration,
    is_shut: bool,
    is_silent: bool,
    is_refused: bool,
    /// How often connections were closed so far.
    cuts: u64,
    /// How often connections were lost so far.
    silences: u64,
}

/// A way to the database that can fail.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way(Arc<watch::Sender<State>>);

/// One connection on it.
#[derive(Debug)]
pub(crate) struct Connection {
    way: Way,
    begun: State,
}

impl Way {
    /// Connects, once the way is open. `None`: refused.
    pub(crate) async fn connect(&self) -> Option<Connection> {
        let mut state = self.0.subscribe();
        let open = state.wait_for(|state| !state.is_shut && !state.is_silent).await;
        let begun = *open.expect("the sender is here");
        (!begun.is_refused).then(|| Connection { way: self.clone(), begun })
    }

    /// Closes every connection, and refuses new ones.
    pub(crate) fn refuse(&self) {
        self.0.send_modify(|state| {
            state.is_refused = true;
            state.cuts += 1;
        });
    }

    pub(crate) fn accept(&self) {
        self.0.send_modify(|state| state.is_refused = false);
    }
}

impl Link for Way {
    fn cut(&self) {
        self.0.send_modify(|state| state.cuts += 1);
    }

    fn silence(&self) {
        self.0.send_modify(|state| {
            state.is_silent = true;
            state.silences += 1;
        });
    }

    fn stall(&self) {
        self.0.send_modify(|state| state.is_shut = true);
    }

    fn resume(&self) {
        self.0.send_modify(|state| (state.is_shut, state.is_silent) = (false, false));
    }

    fn delay(&self, delay: Duration) {
        self.0.send_modify(|state| state.delay = delay);
    }
}

impl Connection {
    fn now(&self) -> State {
        *self.way.0.borrow()
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.now().cuts != self.begun.cuts
    }

    /// Whether nobody is told any more what happens at the other end.
    pub(crate) fn is_lost(&self) -> bool {
        self.now().silences != self.begun.silences
    }

    /// Whether nothing goes through now.
    pub(crate) fn is_still(&self) -> bool {
        self.is_lost() || self.now().is_shut
    }

    /// Completes when something has got through: never on a connection that was lost.
    pub(crate) async fn pass(&self) {
        let delay = self.now().delay;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let mut state = self.way.0.subscribe();
        let passed = state.wait_for(|state| !state.is_shut).await;
        drop(passed);
        if self.is_lost() {
            pending::<()>().await;
        }
    }

    pub(crate) async fn cut(&self) {
        let cuts = self.begun.cuts;
        let mut state = self.way.0.subscribe();
        let cut = state.wait_for(|state| state.cuts != cuts).await;
        drop(cut);
    }
}
