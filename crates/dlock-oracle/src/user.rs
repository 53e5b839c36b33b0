use crate::acquire::{Acquire, SLICE};
use crate::session::{Claim, Session, Share, Worker};
use crate::{Error, Key, Mode};
use dlock_core::{
    ByRef, RawAbort, RawConvert, RawIntoSession, RawLock, RawMode, RawNew, RawReleaseOnCommit,
    RawShared, RawSlice, RawUnlock, Wait,
};
use oracle::Connection;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The COMMIT of the request's own block would free the lock.
const AUTOCOMMIT: &str = "the connection is in autocommit mode, where every statement would free a lock \
    with release_on_commit: turn autocommit off, or lock without release_on_commit";

/// A user lock of `DBMS_LOCK`.
pub struct User<S> {
    session: Arc<Session>,
    key: Key,
    mode: Mode,
    on_commit: bool,
    slice: Duration,
    /// What is held or asked for.
    claim: Option<Arc<Claim>>,
    kind: PhantomData<fn() -> S>,
}

impl<S: Share> User<S> {
    /// Has the session's thread do something, and waits for the answer.
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.session.submit(Box::new(|worker| drop(sender.send(job(worker)))))?;
        answer.await.map_err(|_| Error::Closed)
    }

    async fn acquire(&self, from: Option<Mode>, mode: Mode, wait: Wait) -> Result<bool, Error> {
        let claim = self.claim.clone().ok_or(Error::Lost(None))?;
        let due = wait.limit().and_then(|limit| Instant::now().checked_add(limit));
        let (is_shared, slice) = (S::IS_SHARED, self.slice);
        let (sender, answer) = oneshot::channel();
        let acquire = Acquire { claim, from, mode, due, slice, is_shared, answer: sender };
        self.session.submit(acquire.job())?;
        answer.await.unwrap_or(Err(Error::Closed))
    }
}

impl<S: Share> RawLock for User<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = Connection;
    type Lend = ByRef;
    type Error = oracle::Error;

    const SYSTEM: &'static str = "oracle.db";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&Connection> {
        Some(&self.session.connection)
    }

    fn is_closed(&self) -> bool {
        self.session.is_over()
    }

    fn longest_statement(&self) -> Duration {
        SLICE.max(self.slice)
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        if self.on_commit && self.session.connection.autocommit() {
            return Err(Error::Setup { advice: AUTOCOMMIT, source: None });
        }
        let (id, on_commit, is_cancelled) = (self.key.id(), self.on_commit, AtomicBool::default());
        self.claim = Some(Arc::new(Claim { id, on_commit, is_cancelled }));
        let answer = self.acquire(None, self.mode, wait).await;
        if !matches!(answer, Ok(true)) {
            self.claim = None;
        }
        answer
    }

    fn abandon(&mut self) {
        let Some(claim) = self.claim.take() else { return };
        claim.is_cancelled.store(true, Ordering::SeqCst);
        // A thread is there: it was asked for the lock.
        drop(self.session.submit(Box::new(move |worker| worker.abandon(&claim))));
    }

    /// What [`abandon`](RawLock::abandon) began goes first on the thread.
    async fn settle(&mut self) -> Result<(), Error> {
        if self.is_closed() {
            return self.end().await;
        }
        self.run(Worker::look).await
    }
}

impl<S: Share> RawUnlock for User<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let Some(claim) = self.claim.clone() else { return Ok(false) };
        let released = self.run(move |worker| worker.unlock(&claim)).await??;
        self.claim = None;
        Ok(released)
    }
}

impl<S: Share> RawAbort for User<S> {
    async fn end(&mut self) -> Result<(), Error> {
        self.session.has_ended.store(true, Ordering::SeqCst);
        // Also what the thread may wait for, a statement of the caller's. Refused where it is closed.
        drop(self.session.connection.break_execution());
        self.run(Worker::end).await
    }
}

impl<S: Share> RawSlice for User<S> {
    fn set_slice(&mut self, longest: Duration) {
        self.slice = longest;
    }
}

impl<S: Share> RawConvert for User<S> {
    async fn convert(&mut self, mode: Mode, wait: Wait) -> Result<bool, Error> {
        let converted = self.acquire(Some(self.mode), mode, wait).await?;
        self.mode = if converted { mode } else { self.mode };
        Ok(converted)
    }
}

impl<S: Share> RawNew<S> for User<S> {
    fn new(session: S, key: Key) -> Self {
        let (session, mode) = (Session::of(session.into()), Mode::default());
        Self { session, key, mode, on_commit: false, slice: SLICE, claim: None, kind: PhantomData }
    }
}

impl<S: Share> RawIntoSession for User<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        if self.is_closed() {
            return None;
        }
        let connection = Arc::clone(&self.session.connection);
        let thread = if S::IS_SHARED { None } else { self.session.take_thread() };
        drop(self);
        // It has nothing to do, and ends at once.
        drop(thread.map(|thread| thread.join()));
        S::take_back(connection)
    }
}

impl<S: Share> RawShared for User<S> {
    fn set_shared(&mut self) {
        self.mode = Mode::S;
    }
}

impl<S: Share> RawMode for User<S> {
    fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
    }
}

impl<S: Share> RawReleaseOnCommit for User<S> {
    fn set_release_on_commit(&mut self) {
        self.on_commit = true;
    }
}

impl<S> Drop for User<S> {
    fn drop(&mut self) {
        self.session.leave();
    }
}

impl<S> fmt::Debug for User<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({}, {})", self.key, self.mode)
    }
}
