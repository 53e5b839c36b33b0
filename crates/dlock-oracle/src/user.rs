use crate::ask::{Ask, Verb};
use crate::claim::{self, Claim};
use crate::session::{Session, Share};
use crate::worker::{Job, Seat};
use crate::{Error, Key, Mode};
use dlock_core::{
    ByRef, RawConvert, RawIntoSession, RawLock, RawMode, RawNew, RawReleaseOnCommit, RawShared,
    RawUnlock, Wait,
};
use oracle::Connection;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::sync::oneshot;

/// A user lock of `DBMS_LOCK`.
pub struct User<S> {
    seat: Seat,
    key: Key,
    mode: Mode,
    on_commit: bool,
    /// What is held or asked for.
    claim: Option<Arc<Claim>>,
    /// What `abandon` began.
    leaving: Option<oneshot::Receiver<()>>,
    session: PhantomData<fn() -> S>,
}

impl<S: Share> User<S> {
    /// A lock that has sent nothing yet.
    pub(crate) fn of(session: S, key: Key) -> Self {
        Self {
            seat: Seat::at(session.share()),
            key,
            mode: Mode::default(),
            on_commit: false,
            claim: None,
            leaving: None,
            session: PhantomData,
        }
    }

    /// Has the session's thread do something, and waits for the answer.
    async fn turn<T>(
        &self,
        job: impl FnOnce(&mut Session, oneshot::Sender<Result<T, Error>>) + Send + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
    {
        let (sender, mut receiver) = oneshot::channel();
        let mut job: Option<Job> = Some(Box::new(move |session| job(session, sender)));
        poll_fn(move |context| {
            let answer = Pin::new(&mut receiver).poll(context);
            match job.take().map(|job| self.submit(job)) {
                // Pending at first, however quick the thread is: the waker is in place by now.
                Some(Ok(())) => Poll::Pending,
                Some(Err(error)) => Poll::Ready(Err(error)),
                None => answer.map(|answer| answer.unwrap_or(Err(Error::Closed))),
            }
        })
        .await
    }

    fn submit(&self, job: Job) -> Result<(), Error> {
        self.seat.submit(job).map_err(|_| Error::Setup {
            advice: "no thread could be started for the connection: raise the limit on threads",
            source: None,
        })
    }

    async fn ask(
        &self,
        claim: Arc<Claim>,
        verb: Verb,
        mode: Mode,
        wait: Wait,
    ) -> Result<bool, Error> {
        let is_shared = S::IS_SHARED;
        self.turn(move |session, answer| {
            Ask { claim, verb, mode, wait, deadline: None, is_shared, answer }.step(session);
        })
        .await
    }

    /// With autocommit, the COMMIT of the request's own block would free the lock.
    fn check_autocommit(&self) -> Result<(), Error> {
        if !self.on_commit || !self.seat.connection().autocommit() {
            return Ok(());
        }
        Err(Error::Setup {
            advice: "the connection is in autocommit mode, where every statement would free a lock \
                     with release_on_commit: turn autocommit off, or lock without release_on_commit",
            source: None,
        })
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
        Some(self.seat.connection())
    }

    fn is_closed(&self) -> bool {
        self.seat.has_ended()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        self.check_autocommit()?;
        let claim = Claim::new(self.key, self.on_commit);
        self.claim = Some(Arc::clone(&claim));
        let answer = self.ask(claim, Verb::Request, self.mode, wait).await;
        if !matches!(answer, Ok(true)) {
            self.claim = None;
        }
        answer
    }

    fn abandon(&mut self) {
        let Some(claim) = self.claim.take() else { return };
        claim.call_off(self.seat.connection());
        let (done, leaving) = oneshot::channel();
        let job = move |session: &mut Session| {
            claim::abandon(&claim, session);
            // Whoever settles may have gone too.
            let _ = done.send(());
        };
        if self.submit(Box::new(job)).is_ok() {
            self.leaving = Some(leaving);
        }
    }

    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(leaving) = &mut self.leaving {
            // A job that never came to its end has ended the session.
            drop(leaving.await);
            self.leaving = None;
        }
        let look = |session: &mut Session, answer: oneshot::Sender<_>| {
            session.look();
            drop(answer.send(Ok(())));
        };
        self.turn(look).await
    }
}

impl<S: Share> RawUnlock for User<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let Some(claim) = self.claim.clone() else {
            return Ok(false);
        };
        let released = self.turn(move |session, answer| {
            drop(answer.send(claim::release(&claim, session)));
        });
        let released = released.await?;
        self.claim = None;
        Ok(released)
    }
}

impl<S: Share> RawConvert for User<S> {
    async fn convert(&mut self, mode: Mode, wait: Wait) -> Result<bool, Error> {
        let Some(claim) = self.claim.clone() else {
            return Err(Error::Lost(None));
        };
        let converted = self.ask(claim, Verb::Convert(self.mode), mode, wait).await?;
        if converted {
            self.mode = mode;
        }
        Ok(converted)
    }
}

impl<S: Share> RawNew<S> for User<S> {
    fn new(session: S, key: Key) -> Self {
        Self::of(session, key)
    }
}

impl<S: Share> RawIntoSession for User<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        if self.is_closed() {
            return None;
        }
        S::take_back(self.seat)
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

impl<S> fmt::Debug for User<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .field("on_commit", &self.on_commit)
            .finish_non_exhaustive()
    }
}
