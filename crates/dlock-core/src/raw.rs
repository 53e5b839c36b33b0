use crate::{Error, Wait, sleep};
use std::error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

/// How often it is looked whether a session has ended, where nothing tells it.
const LOOKS: Duration = Duration::from_millis(20);

/// How a lock lends its session: by shared or by exclusive reference.
pub trait Lend {
    /// The reference.
    type Of<'s, T: ?Sized + 's>;
}

/// Lends `&S`: for drivers whose sessions take `&self`.
#[derive(Debug)]
pub enum ByRef {}

/// Lends `&mut S`: for drivers whose sessions take `&mut self`.
#[derive(Debug)]
pub enum ByMut {}

impl Lend for ByRef {
    type Of<'s, T: ?Sized + 's> = &'s T;
}

impl Lend for ByMut {
    type Of<'s, T: ?Sized + 's> = &'s mut T;
}

/// The reference to its session that lock `R` lends.
pub type SessionRef<'s, R> = <<R as RawLock>::Lend as Lend>::Of<'s, <R as RawLock>::Session>;

/// One lock, spoken over one database session: all that a driver writes.
///
/// The caller ([`Lock`](crate::Lock) or [`XactLock`](crate::XactLock)) keeps the flag and sees to it
/// that the calls make sense: `lock` only on a lock that is not held, `settle` after `abandon` before
/// anything else.
pub trait RawLock: Send {
    /// What names a lock on this server.
    type Key: fmt::Debug + fmt::Display;
    /// How a lock may be held.
    type Mode: Copy + fmt::Debug;
    /// The session as the caller may use it.
    type Session: ?Sized;
    /// How the session is lent.
    type Lend: Lend;
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;

    /// What traces call the server: a value of OpenTelemetry's `db.system.name`.
    const SYSTEM: &'static str = "other_sql";

    /// The key as the server sees it.
    fn key(&self) -> &Self::Key;

    /// The mode it is, or will be, held in.
    fn mode(&self) -> Self::Mode;

    /// The session; `None` while it is away or when it has ended. While the lock is held it is there.
    fn session(&mut self) -> Option<SessionRef<'_, Self>>;

    /// Whether the session has ended, or may never be used again, as far as the driver knows without
    /// asking the server.
    fn is_closed(&self) -> bool;

    /// Completes when the session has ended, as soon as the driver can know it without asking.
    fn closed(&mut self) -> impl Future<Output = ()> + Send {
        async move {
            // Drivers have a flag and no event. By `&mut`, since not every session is `Sync`.
            let raw = self;
            while !RawLock::is_closed(&*raw) {
                sleep(LOOKS).await;
            }
        }
    }

    /// How long one statement of this library's may keep the session busy, at most: a release waits
    /// behind it.
    fn longest_statement(&self) -> Duration {
        Duration::ZERO
    }

    /// Acquires. `false`: the wait ran out, and this session does not hold the key. That must be true,
    /// not only likely; and it must not hold the key after an error either, unless the session ends.
    fn lock(&mut self, wait: Wait)
    -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send;

    /// Lets go of all that this lock holds, or may hold, without waiting for it.
    ///
    /// Called from `Drop`, on any thread: after a future of this lock was dropped, and when a locked
    /// guard or lock is dropped. Where a future was forgotten (`mem::forget`) it is called before the
    /// next `settle`. Release in the background, or end the session so that the server does.
    fn abandon(&mut self);

    /// Waits until what [`abandon`](RawLock::abandon) began has come to its end, and where the session
    /// was lost, until the server has let go of it.
    ///
    /// After `Ok` this session certainly does not hold the key: that was an answer of the server's, or
    /// of one that was asked about it. May be dropped and called again.
    fn settle(&mut self) -> impl Future<Output = Result<(), Error<Self::Error>>> + Send;
}

/// A lock that is held until it is released.
pub trait RawUnlock: RawLock {
    /// Releases. `false`: this session did not hold the key. After an error other than
    /// [`Error::Lost`] on a session that lives on, the key is still held.
    fn unlock(&mut self) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send;

    /// Releases at the end of a scope: nobody can choose any more, so what stands in the way of it and
    /// can do nothing else (a failed transaction, say) may be undone.
    fn unlock_scope(&mut self) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send {
        self.unlock()
    }
}

/// Can end its session while a statement runs on it: `guard.abort()`.
pub trait RawAbort: RawUnlock {
    /// Ends the session and whatever runs on it. After `Ok` the server has let go. May be dropped and
    /// called again.
    fn end(&mut self) -> impl Future<Output = Result<(), Error<Self::Error>>> + Send;
}

/// Waits in slices, whose longest can be set: `.slice(d)`.
pub trait RawSlice: RawLock {
    /// Waits in slices of at most this from now on.
    fn set_slice(&mut self, longest: Duration);
}

/// Makes a lock over a session of type `S`.
pub trait RawNew<S>: RawLock {
    /// A lock that has sent nothing yet.
    fn new(session: S, key: Self::Key) -> Self;
}

/// Gives an owned session back.
pub trait RawIntoSession: RawLock {
    /// The session as it was handed in.
    type Owned;

    /// The session, unless it has ended. Nothing is held over it.
    fn into_session(self) -> Option<Self::Owned>;
}

/// Has a shared mode: `.shared()`.
pub trait RawShared: RawLock {
    /// Asks for the shared mode from now on.
    fn set_shared(&mut self);
}

/// Has an update mode: `.update()`.
pub trait RawUpdate: RawLock {
    /// Asks for the update mode from now on.
    fn set_update(&mut self);
}

/// Has modes to choose from by value: `.with_mode(mode)`.
pub trait RawMode: RawLock {
    /// Asks for this mode from now on.
    fn set_mode(&mut self, mode: Self::Mode);
}

/// Can be freed by the caller's COMMIT or ROLLBACK: `.release_on_commit()`.
pub trait RawReleaseOnCommit: RawLock {
    /// Asks for that from now on.
    fn set_release_on_commit(&mut self);
}

/// Can have its statements prepared: `.prepared()`.
pub trait RawPrepared: RawLock {
    /// Asks for that from now on.
    fn set_prepared(&mut self);
}

/// Can go from update to exclusive while held.
pub trait RawUpgrade: RawLock {
    /// Upgrades. `false`, and every error on a session that lives on: still held in the old mode.
    fn upgrade(
        &mut self,
        wait: Wait,
    ) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send;
}

/// Can go from any mode to any other while held.
pub trait RawConvert: RawLock {
    /// Converts. `false`, and every error on a session that lives on: still held in the old mode.
    fn convert(
        &mut self,
        mode: Self::Mode,
        wait: Wait,
    ) -> impl Future<Output = Result<bool, Error<Self::Error>>> + Send;
}
