//! What the promises need of a driver: locks over new sessions, and eyes on the server.

use dlock_core::{Lock, RawLock, RawUnlock, SessionRef};
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

/// A kind of session of a driver, laid out for the promises: makes locks, and looks at the server.
///
/// What it sees it asks the server, over a session of its own, in words that every real server of its
/// kind understands.
pub trait Bed: Sized + Send + Sync + 'static {
    /// The lock under test. Its key's text is what [`holders`](Bed::holders) is asked about.
    type Raw: RawUnlock<Key: Send + Sync, Mode: Send + Sync> + Send + Sync + 'static;

    /// How much later than its deadline a bounded wait may end, beyond what every server is allowed.
    const SLACK: Duration = Duration::ZERO;
    /// How long a hand-over to a waiter may take, in the median.
    const HAND_OVER: Duration = Duration::from_millis(20);
    /// How long the server may take to forget a wait that was dropped, or a guard.
    const FORGETS: Duration = Duration::from_secs(1);
    /// How long the server may take to find a deadlock.
    const DEADLOCK: Duration = Duration::from_secs(5);
    /// Whether a lock can still prove that its session has ended after its owner has used the session in
    /// vain. Some drivers then refuse every request without a word on why.
    const PROVES_END: bool = true;
    /// Whether waiters are served in the order they came.
    const FAIR: bool = true;

    /// Connects an observer. A server that cannot be had is a failure with one clear sentence.
    fn new() -> impl Future<Output = Self> + Send;

    /// A lock over a session of its own.
    fn lock(&self, key: &str) -> impl Future<Output = Lock<Self::Raw>> + Send;

    /// The same over a session whose own limits (statement time-outs and the like) are 200 ms.
    fn hurried(&self, key: &str) -> impl Future<Output = Lock<Self::Raw>> + Send;

    /// Where the server listens, if by TCP.
    fn address(&self) -> Option<SocketAddr>;

    /// A lock over a session of its own that goes through `proxy`.
    fn lock_through(
        &self,
        proxy: SocketAddr,
        key: &str,
    ) -> impl Future<Output = Lock<Self::Raw>> + Send;

    /// How many sessions hold the key.
    fn holders(&self, key: &str) -> impl Future<Output = usize> + Send;

    /// How many sessions wait for the key.
    fn waiters(&self, key: &str) -> impl Future<Output = usize> + Send;

    /// Ends the sessions that hold or await the key, as an administrator would.
    fn kill(&self, key: &str) -> impl Future<Output = ()> + Send;

    /// Has the server answer with this number over the lock's own session.
    fn echo(
        session: SessionRef<'_, Self::Raw>,
        number: i64,
    ) -> impl Future<Output = Result<i64, <Self::Raw as RawLock>::Error>> + Send;
}

/// A kind of session that several locks may share.
pub trait SharedBed: Bed {
    /// A lock on each key, all over one session.
    fn locks<const N: usize>(
        &self,
        keys: [&str; N],
    ) -> impl Future<Output = [Lock<Self::Raw>; N]> + Send;
}
