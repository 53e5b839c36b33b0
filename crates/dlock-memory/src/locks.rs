//! The driver of [`Locks`](crate::Locks).

use crate::table::Reply;
use crate::{Database, Direct, Ended, Key, Lock, Mode, OwnedGuard, Session};
use dlock_core::{Error, RawNew, Wait, within};
use dlock_locks::{AloneDriver, Ask, Driver, SessionOptions, SharedDriver, What};
use std::time::{Duration, Instant};
use tokio::task::yield_now;

impl Driver for Database {
    type Key = Key;
    type Error = Ended;
    type Session = Leased;

    const IN_FLIGHT: usize = 2;

    fn derive(key: &Key, label: &str) -> Key {
        format!("{key}\u{0}{label}").into()
    }

    fn turnstile(key: &Key) -> Option<Key> {
        Some(Self::derive(key, "turnstile"))
    }

    async fn open(&self, options: &SessionOptions) -> Result<Leased, Ended> {
        self.is_awake().await;
        Ok(Leased(self.leased(options.lease)))
    }
}

impl SharedDriver for Database {}

impl AloneDriver for Database {
    type Lock = Direct<Session>;
    type Number = u64;

    async fn alone(&self, _name: &str, key: Key, mode: Mode) -> Result<(Lock, u64), Ended> {
        self.is_awake().await;
        let session = self.session();
        let number = session.number();
        let lock = Lock::from_raw(RawNew::new(session, key));
        Ok((if mode == Mode::Shared { lock.shared() } else { lock }, number))
    }

    async fn abort(&self, guard: OwnedGuard, number: u64) -> Result<(), crate::Error> {
        self.is_awake().await;
        self.table().end(&[number]);
        drop(guard);
        Ok(())
    }
}

/// What a reader has to pass.
fn turnstile(key: &Key, mode: Mode) -> Option<Key> {
    Database::turnstile(key).filter(|_| mode == Mode::Shared)
}

/// A session that holds keys and waits for keys, and is ended when it was silent for too long.
#[derive(Debug)]
pub struct Leased(pub(crate) Session);

impl Leased {
    fn do_one(&self, ask: &Ask<Key>) -> Result<bool, Ended> {
        match ask.what {
            What::Try if !self.may_pass(&ask.key, ask.mode)? => Ok(false),
            What::Try => match self.0.ask(ask.key.as_str(), ask.mode, false) {
                Reply::Granted => Ok(true),
                Reply::Ended => Err(Ended),
                _ => Ok(false),
            },
            What::Release | What::Undo => self.0.release(ask.key.as_str()),
        }
    }

    /// Whether no writer stands in front of a reader.
    fn may_pass(&self, key: &Key, mode: Mode) -> Result<bool, Ended> {
        let Some(turnstile) = turnstile(key, mode) else { return Ok(true) };
        match self.0.ask(turnstile.as_str(), Mode::Shared, false) {
            Reply::Granted => self.0.release(turnstile.as_str()),
            Reply::Ended => Err(Ended),
            // The writer stands in this process, where each has its place already.
            Reply::AlreadyHeld => Ok(true),
            _ => Ok(false),
        }
    }

    /// Waits until no writer stands in front of a reader. `false`: one still does.
    async fn pass(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, crate::Error> {
        let Some(turnstile) = turnstile(key, mode) else { return Ok(true) };
        match self.0.acquire(turnstile.as_str(), Mode::Shared, Wait::from(limit)).await {
            Ok(true) => Ok(self.0.release(turnstile.as_str()).map_err(Error::Driver)?),
            Err(Error::AlreadyHeld) => Ok(true),
            answer => answer,
        }
    }

    /// First for the turnstile, then for the key in the time that is left.
    async fn queue(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, crate::Error> {
        let begun = Instant::now();
        if !self.pass(key, mode, limit).await? {
            return Ok(false);
        }
        let left = limit.saturating_sub(begun.elapsed());
        self.0.acquire(key.as_str(), mode, Wait::from(left)).await
    }

    /// Raises the bid, and then the fence, behind the transactions of earlier holders. A session that was ended
    /// holds no key, and raises nothing.
    async fn raise_behind(&self, key: &str) -> Result<u64, Ended> {
        let mut ended = self.0.database().table().fences.ended();
        let bid = self.0.fences(|fences| fences.bid(key))?;
        loop {
            self.0.database().is_awake().await;
            if let Some(number) = self.0.fences(|fences| fences.raise(key, bid))? {
                return Ok(number);
            }
            // The sender is the database's.
            let _ = ended.changed().await;
        }
    }
}

impl dlock_locks::Session for Leased {
    type Key = Key;
    type Error = Ended;

    fn server(&self) -> &str {
        "memory"
    }

    fn has_lease(&self) -> bool {
        true
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, Ended> {
        self.0.arrive().await;
        let truths = asks.iter().map(|ask| self.do_one(ask)).collect();
        self.0.return_trip().await;
        truths
    }

    async fn wait(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, Ended> {
        self.0.arrive().await;
        let answer = self.queue(key, mode, limit).await;
        self.0.return_trip().await;
        match answer {
            Ok(granted) => Ok(granted),
            Err(Error::AlreadyHeld | Error::Deadlock(_)) => Ok(false),
            Err(_) => Err(Ended),
        }
    }

    async fn raise(&self, key: &Key, limit: Duration) -> Result<Option<u64>, Ended> {
        self.0.arrive().await;
        let raised = within(limit, self.raise_behind(key)).await;
        self.0.return_trip().await;
        raised.transpose()
    }

    async fn ping(&self) -> Result<(), Ended> {
        self.0.arrive().await;
        self.0.return_trip().await;
        if self.0.is_ended() { Err(Ended) } else { Ok(()) }
    }

    fn is_ended(&self) -> bool {
        self.0.is_ended()
    }

    async fn ended(&self) {
        self.0.ended().await;
    }

    async fn end(self) {
        yield_now().await;
        // A cut session ends with its lease.
        self.0.leave();
    }
}
