//! A server of exclusive locks whose every answer takes its time, and the driver for it.

use interleaved_locks::{Ask, Driver, Mode, Session, SessionOptions, What};
use shuttle::future::block_on;
use shuttle::thread;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

/// The session of whoever uses another library.
const STRANGER: u64 = 0;

#[derive(Clone, Default)]
pub(crate) struct Server(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    holders: BTreeMap<u32, u64>,
    sessions: BTreeSet<u64>,
    opened: u64,
    /// How often each key was let go by who held it.
    released: BTreeMap<u32, u32>,
    wakers: Vec<Waker>,
}

impl State {
    fn take(&mut self, key: u32, session: u64) -> bool {
        let is_free = !self.holders.contains_key(&key);
        if is_free {
            self.holders.insert(key, session);
        }
        is_free
    }

    fn release(&mut self, key: u32, session: u64) -> bool {
        let is_holder = self.holders.get(&key) == Some(&session);
        if is_holder {
            self.holders.remove(&key);
            *self.released.entry(key).or_default() += 1;
            self.wakers.drain(..).for_each(Waker::wake);
        }
        is_holder
    }

    fn end(&mut self, session: u64) {
        self.sessions.remove(&session);
        self.holders.retain(|_, holder| *holder != session);
        self.wakers.drain(..).for_each(Waker::wake);
    }
}

impl Server {
    /// Nothing in here lets another thread go on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often this key was let go by who held it.
    pub(crate) fn released(&self, key: u32) -> u32 {
        self.state().released.get(&key).copied().unwrap_or_default()
    }

    /// Ends the session that holds a key, if there is one.
    pub(crate) fn kill_holder(&self, key: u32) {
        thread::yield_now();
        let mut state = self.state();
        if let Some(session) = state.holders.get(&key).copied() {
            state.end(session);
        }
    }

    /// A key that nobody lets go of is never free: the checker calls it a deadlock.
    pub(crate) fn is_free_in_the_end(&self, key: u32) {
        block_on(self.waits(key, STRANGER)).expect("strangers are not killed");
        self.state().release(key, STRANGER);
    }

    async fn waits(&self, key: u32, session: u64) -> Result<bool, Killed> {
        poll_fn(|context| {
            thread::yield_now();
            let mut state = self.state();
            if session != STRANGER && !state.sessions.contains(&session) {
                return Poll::Ready(Err(Killed));
            }
            if state.take(key, session) {
                return Poll::Ready(Ok(true));
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl Driver for Server {
    type Key = u32;
    type Error = Killed;
    type Session = Connection;

    const IN_FLIGHT: usize = 2;

    fn derive(key: &u32, label: &str) -> u32 {
        let number = label.trim_start_matches(|it: char| !it.is_ascii_digit());
        key * 100 + number.parse().unwrap_or(0)
    }

    async fn open(&self, _: &SessionOptions) -> Result<Connection, Killed> {
        thread::yield_now();
        let mut state = self.state();
        state.opened += 1;
        let number = state.opened;
        state.sessions.insert(number);
        Ok(Connection { server: self.clone(), number })
    }
}

/// A session.
pub(crate) struct Connection {
    server: Server,
    number: u64,
}

impl Connection {
    fn is_alive(&self) -> bool {
        self.server.state().sessions.contains(&self.number)
    }

    fn does(&self, ask: &Ask<u32>) -> bool {
        let mut state = self.server.state();
        match ask.what {
            What::Try => state.take(ask.key, self.number),
            What::Release | What::Undo => state.release(ask.key, self.number),
        }
    }
}

impl Session for Connection {
    type Key = u32;
    type Error = Killed;

    fn server(&self) -> &str {
        "one"
    }

    fn has_lease(&self) -> bool {
        true
    }

    async fn run(&self, asks: &[Ask<u32>]) -> Result<Vec<bool>, Killed> {
        thread::yield_now();
        let answers = self.is_alive().then(|| asks.iter().map(|ask| self.does(ask)).collect());
        thread::yield_now();
        answers.ok_or(Killed)
    }

    async fn wait(&self, key: &u32, _: Mode, _: Duration) -> Result<bool, Killed> {
        let waited = self.server.waits(*key, self.number).await;
        thread::yield_now();
        waited
    }

    async fn ping(&self) -> Result<(), Killed> {
        thread::yield_now();
        self.is_alive().then_some(()).ok_or(Killed)
    }

    fn is_ended(&self) -> bool {
        !self.is_alive()
    }

    async fn ended(&self) {
        poll_fn(|context| {
            let mut state = self.server.state();
            if !state.sessions.contains(&self.number) {
                return Poll::Ready(());
            }
            state.wakers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    async fn end(self) {
        thread::yield_now();
        self.server.state().end(self.number);
    }
}

/// The session has ended.
#[derive(Debug)]
pub(crate) struct Killed;

impl fmt::Display for Killed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("killed")
    }
}

impl std::error::Error for Killed {}
