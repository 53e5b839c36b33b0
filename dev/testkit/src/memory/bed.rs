use super::{Carried, Database, Direct, Ended, Session};
use crate::bed::{Bed, SharedBed};
use dlock_core::{
    BorrowedSession, ByDropping, Lock, OwnedSession, RawLock, RawNew, RawShared, RawUnlock,
    SessionRef,
};
use std::future::Future;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

/// A kind of session that a lock over memory may take.
pub trait Kind: Send + Sync + 'static {
    /// The lock over it.
    type Raw: RawUnlock
        + RawShared
        + RawNew<Self::Session>
        + RawLock<Key: for<'k> From<&'k str> + Send + Sync, Mode: Send + Sync, Error = Ended>
        + Send
        + Sync
        + 'static;
    /// The session as the lock takes it.
    type Session: Send;
    /// What it is called in the names of tests.
    const NAME: &'static str;

    /// Makes the session what the lock takes.
    fn of(session: Session) -> Self::Session;

    /// Has the session answer with this number.
    fn echo(
        session: SessionRef<'_, Self::Raw>,
        number: i64,
    ) -> impl Future<Output = Result<i64, Ended>> + Send;
}

/// An owned session that takes `&self`.
#[derive(Debug)]
pub enum Owned {}
/// An `Arc<Session>`.
#[derive(Debug)]
pub enum ByArc {}
/// An owned session that takes `&mut`, and moves into a task for each round trip.
#[derive(Debug)]
pub enum Moved {}
/// A `&mut Session`, of a session that lives for as long as the process.
#[derive(Debug)]
pub enum MutBorrowed {}

impl Kind for Owned {
    type Raw = Direct<Session>;
    type Session = Session;
    const NAME: &'static str = "session";

    fn of(session: Session) -> Session {
        session
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Ended> {
        session.echo(number).await
    }
}

impl Kind for ByArc {
    type Raw = Direct<Arc<Session>>;
    type Session = Arc<Session>;
    const NAME: &'static str = "arc_session";

    fn of(session: Session) -> Arc<Session> {
        Arc::new(session)
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Ended> {
        session.echo(number).await
    }
}

impl Kind for Moved {
    type Raw = Carried<OwnedSession<Session, ByDropping<Ended>>>;
    type Session = Session;
    const NAME: &'static str = "moving_session";

    fn of(session: Session) -> Session {
        session
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Ended> {
        session.exclusive_echo(number).await
    }
}

impl Kind for MutBorrowed {
    type Raw = Carried<BorrowedSession<'static, Session, Ended>>;
    type Session = &'static mut Session;
    const NAME: &'static str = "lent_session";

    fn of(session: Session) -> &'static mut Session {
        Box::leak(Box::new(session))
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Ended> {
        session.exclusive_echo(number).await
    }
}

/// A database made of memory, laid out for the promises.
#[derive(Debug)]
pub struct MemoryBed<K> {
    database: Database,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Bed for MemoryBed<K> {
    type Raw = K::Raw;

    async fn new() -> Self {
        Self { database: Database::new(), kind: PhantomData }
    }

    async fn lock(&self, key: &str) -> Lock<K::Raw> {
        Lock::from_raw(K::Raw::new(K::of(self.database.session()), key.into()))
    }

    /// Sessions of memory have no limits of their own.
    async fn hurried(&self, key: &str) -> Lock<K::Raw> {
        self.lock(key).await
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock<K::Raw> {
        panic!("memory has no address, so nothing for {key} goes through {proxy}");
    }

    async fn holders(&self, key: &str) -> usize {
        self.database.holders(key)
    }

    async fn waiters(&self, key: &str) -> usize {
        self.database.waiters(key)
    }

    async fn kill(&self, key: &str) {
        self.database.kill(key);
    }

    fn echo(
        session: SessionRef<'_, K::Raw>,
        number: i64,
    ) -> impl Future<Output = Result<i64, Ended>> + Send {
        K::echo(session, number)
    }
}

impl SharedBed for MemoryBed<ByArc> {
    async fn locks<const N: usize>(&self, keys: [&str; N]) -> [Lock<Direct<Arc<Session>>>; N] {
        let session = Arc::new(self.database.session());
        keys.map(|key| Lock::from_raw(Direct::new(Arc::clone(&session), key.into())))
    }
}
