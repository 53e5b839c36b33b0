use crate::flaw::Flaw;
use crate::line::Line;
use crate::pollers::Pollers;
use dlock_core::{ByRef, Error, RawLock, RawNew, RawShared, RawUnlock, Wait};
use dlock_testkit::memory::{Direct, Ended, Key, Mode};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// How long a release in the background takes that nobody waits for.
const BACKGROUND: Duration = Duration::from_millis(20);

/// A lock over memory with a flaw.
pub(crate) struct Mutant {
    inner: Direct<Line>,
    line: Line,
    flaw: Flaw,
    pollers: Pollers,
    /// Whether the last call was told that the key is held.
    told: bool,
    /// Where the last call was made.
    runtime: Option<Handle>,
}

impl Mutant {
    pub(crate) fn new(line: Line, key: &str, flaw: Flaw, pollers: Pollers) -> Self {
        let mut inner = Direct::new(line.clone(), key.into());
        if flaw == Flaw::SharedForExclusive {
            inner.set_shared();
        }
        Self { inner, line, flaw, pollers, told: false, runtime: None }
    }

    async fn asked(&mut self, wait: Wait) -> Result<bool, Error<Ended>> {
        match self.flaw.pause() {
            Some(pause) if wait != Wait::No => self.polled(wait, pause).await,
            _ => self.inner.lock(self.flaw.wait(wait)).await,
        }
    }

    async fn polled(&mut self, wait: Wait, pause: Duration) -> Result<bool, Error<Ended>> {
        let me = self.pollers.join(self.inner.key());
        let deadline = wait.limit().map(|limit| Instant::now() + limit);
        loop {
            let looks = self.flaw != Flaw::Barges || me.is_last();
            let answer = if looks { self.inner.lock(Wait::No).await } else { Ok(false) };
            match answer {
                Ok(false) if deadline.is_none_or(|end| Instant::now() < end) => sleep(pause).await,
                answer => return answer,
            }
        }
    }

    /// Another lock over the same session and key, that nobody knows of.
    fn unknown(&self) -> Direct<Line> {
        Direct::new(self.line.clone(), self.inner.key().clone())
    }

    /// Waits for the key, and keeps it.
    fn leave_a_waiter(&self) {
        let mut waiter = self.unknown();
        let wait = async move {
            // It stands in the queue for as long as this runs.
            let _ = waiter.lock(Wait::Forever).await;
        };
        self.runtime.as_ref().map(|runtime| runtime.spawn(wait));
    }

    fn release_some_time(&self) {
        let mut release = self.unknown();
        let late = async move {
            sleep(BACKGROUND).await;
            // Nobody listens to what comes of it.
            let _ = release.unlock().await;
        };
        self.runtime.as_ref().map(|runtime| runtime.spawn(late));
    }
}

impl RawLock for Mutant {
    type Key = Key;
    type Mode = Mode;
    type Session = Line;
    type Lend = ByRef;
    type Error = Ended;

    fn key(&self) -> &Key {
        self.inner.key()
    }

    fn mode(&self) -> Mode {
        self.inner.mode()
    }

    fn session(&mut self) -> Option<&Line> {
        (!self.is_closed()).then_some(&self.line)
    }

    fn is_closed(&self) -> bool {
        self.flaw != Flaw::EndNotSeen && self.inner.is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error<Ended>> {
        (self.told, self.runtime) = (false, Some(Handle::current()));
        let answer = self.asked(wait).await;
        let answer = self.flaw.answer(wait, answer);
        self.told = matches!(answer, Ok(true));
        answer
    }

    fn abandon(&mut self) {
        match self.flaw {
            Flaw::DropForgotten => return,
            Flaw::GrantKept if !self.told => return,
            Flaw::SettledTooEarly => return self.release_some_time(),
            Flaw::OffByOne => self.line.fall_behind(),
            _ => {}
        }
        self.inner.abandon();
        if self.flaw == Flaw::WaiterLeft && !self.told {
            self.leave_a_waiter();
        }
    }

    async fn settle(&mut self) -> Result<(), Error<Ended>> {
        self.inner.settle().await
    }
}

impl RawUnlock for Mutant {
    async fn unlock(&mut self) -> Result<bool, Error<Ended>> {
        match self.flaw {
            Flaw::ReleaseDoesNothing => Ok(true),
            Flaw::LossNotTold => self.inner.unlock().await.or(Ok(true)),
            _ => self.inner.unlock().await,
        }
    }
}

impl RawShared for Mutant {
    fn set_shared(&mut self) {
        if self.flaw != Flaw::ExclusiveForShared {
            self.inner.set_shared();
        }
    }
}
