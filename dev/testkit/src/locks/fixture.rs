use super::bounds::LEASE;
use super::link::Link;
use dlock_core::{Lock, RawUnlock};
use dlock_locks::{Driver, FencedConnection, FencedDriver, Held, Locks, LocksBuilder};
use std::future::Future;
use std::time::Duration;

/// What names a key on the server of a fixture.
pub type KeyOf<F> = <<F as Fixture>::Driver as Driver>::Key;
/// The `Locks` of a fixture.
pub type LocksOf<F> = Locks<<F as Fixture>::Driver>;
/// A lock of them that is held.
pub type HeldOf<F> = Held<<F as Fixture>::Driver>;

/// A server, laid out for the promises of `Locks`: what it sees it asks the server, over a session of its
/// own.
pub trait Fixture: Sized + Send + Sync + 'static {
    /// The driver under test.
    type Driver: Driver;

    /// Whether the server ends a session that was silent for the lease.
    const HAS_LEASE: bool = true;
    /// Whether the client learns at once that its connection was closed.
    const TELLS_ENDS: bool = true;
    /// Whether a waiter in another process is handed the key within 20 ms in the median.
    const HAND_OVER: Duration = Duration::from_millis(20);
    /// How long the server may take to forget a wait or a lock that was dropped.
    const FORGETS: Duration = Duration::from_secs(2);
    /// How much later than its deadline a bounded wait may end, beyond what every server is allowed.
    const SLACK: Duration = Duration::ZERO;

    /// Connects an observer. A server that cannot be had is a failure with one clear sentence.
    fn new() -> impl Future<Output = Self> + Send;

    /// Settings of `Locks` on this server: each that is built is another process.
    fn builder(&self) -> LocksBuilder<Self::Driver>;

    /// The key of this text.
    fn key(text: &str) -> KeyOf<Self>;

    /// What `Locks` says of keys that the server cannot take.
    fn wrong_keys(_locks: &LocksOf<Self>) -> Vec<dlock_core::KeyError> {
        Vec::new()
    }

    /// How many sessions hold the key.
    fn holders(&self, key: &str) -> impl Future<Output = usize> + Send;

    /// How many sessions wait for the key.
    fn waiters(&self, key: &str) -> impl Future<Output = usize> + Send;

    /// Ends the sessions that hold the key, as an administrator would.
    fn kill(&self, key: &str) -> impl Future<Output = ()> + Send;

    /// One more process on this server.
    ///
    /// # Panics
    /// When the system has no thread left.
    #[must_use]
    fn process(&self) -> LocksOf<Self> {
        self.builder().lease(LEASE).build().expect("a thread")
    }

    /// As many processes on this server.
    #[must_use]
    fn processes<const N: usize>(&self) -> [LocksOf<Self>; N] {
        std::array::from_fn(|_| self.process())
    }
}

/// A server that is reached by a network.
pub trait LinkFixture: Fixture {
    /// The way to it.
    type Link: Link;

    /// A way to the server, and settings of `Locks` that go by it.
    fn link(&self) -> (Self::Link, LocksBuilder<Self::Driver>);
}

/// A driver that has a `Lock` too.
pub trait LockFixture: Fixture {
    /// The lock over a session of the caller's.
    type Raw: RawUnlock<Key: Send + Sync, Mode: Send + Sync> + Send + Sync + 'static;

    /// A lock over a session of its own.
    fn lock(&self, key: &str) -> impl Future<Output = Lock<Self::Raw>> + Send;
}

/// A server that can be stopped and frozen where it is private.
pub trait MachineFixture: Fixture {
    /// `false`: servers are given by a URL, so that the promises about machines are not run.
    fn is_private() -> bool;

    /// A server that nobody else uses.
    fn private() -> impl Future<Output = Self> + Send;

    /// Stops each of its processes that serves a session, with SIGSTOP.
    fn freeze(&self) -> impl Future<Output = ()> + Send;

    /// Lets them go on.
    fn thaw(&self) -> impl Future<Output = ()> + Send;

    /// Stops the server.
    fn stop(&self) -> impl Future<Output = ()> + Send;

    /// Starts it again.
    fn start(&self) -> impl Future<Output = ()> + Send;
}

/// A server that another process of this program finds by its URL.
pub trait ProcessFixture: Fixture {
    /// Where it is found.
    fn url(&self) -> String;

    /// Settings of `Locks` on the server of that URL.
    fn at(url: &str) -> LocksBuilder<Self::Driver>;
}

/// A server on which fenced transactions begin.
pub trait FenceFixture: ProcessFixture<Driver: FencedDriver> {
    /// A connection of the user's.
    type Connection: FencedConnection<Self::Driver> + Send + 'static;

    /// One to the server of that URL.
    fn connection(url: &str) -> impl Future<Output = Self::Connection> + Send;
}
