use dlock_core::{ByRef, Error, Lock, RawConvert, RawLock, RawUnlock, RawUpdate, RawUpgrade, Wait};
use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::yield_now;

#[derive(Debug, thiserror::Error)]
#[error("the driver failed")]
pub(crate) struct Fault;

/// What the raw lock says to the next call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Says(bool),
    Lost,
    Deadlock,
    Driver,
    /// The driver's error that ends the session.
    Ends,
    /// No answer at all.
    Silence,
}

/// What was said to the raw lock, and what it is to say.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) settles: VecDeque<Answer>,
    pub(crate) closed: bool,
    /// Whether the background has the session, until it is settled.
    pub(crate) is_away: bool,
    pub(crate) abandoned: u32,
    pub(crate) settled: u32,
    pub(crate) calls: u32,
    /// How often each call is pending before it answers.
    pub(crate) pauses: u32,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Control(Arc<Mutex<Script>>);

impl Control {
    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap()
    }

    /// A lock that answers so, one call after the other.
    pub(crate) fn lock(answers: &[Answer]) -> (Self, Lock<Scripted>) {
        let control = Self::default();
        control.script().answers.extend(answers);
        let raw = Scripted { control: control.clone(), key: "key", mode: "plain", session: 7 };
        (control, Lock::from_raw(raw))
    }

    /// A locked lock that answers so from here on.
    pub(crate) async fn locked(answers: &[Answer]) -> (Self, Lock<Scripted>) {
        let (control, mut lock) = Self::lock(&[Answer::Says(true)]);
        assert!(lock.acquire(Wait::Forever).await.unwrap());
        control.script().answers.extend(answers);
        (control, lock)
    }

    async fn answer(&self) -> Result<bool, Error<Fault>> {
        let (answer, pauses) = {
            let mut script = self.script();
            script.calls += 1;
            (script.answers.pop_front().expect("an answer for each call"), script.pauses)
        };
        for _ in 0..pauses {
            yield_now().await;
        }
        self.say(answer).await
    }

    async fn say(&self, answer: Answer) -> Result<bool, Error<Fault>> {
        match answer {
            Answer::Says(held) => Ok(held),
            Answer::Lost => Err(Error::Lost(Some(Fault))),
            Answer::Deadlock => Err(Error::Deadlock(Some(Fault))),
            Answer::Driver => Err(Error::Driver(Fault)),
            Answer::Ends => {
                self.script().closed = true;
                Err(Error::Driver(Fault))
            }
            Answer::Silence => pending().await,
        }
    }
}

/// A raw lock that does as its [`Control`] says.
#[derive(Debug)]
pub(crate) struct Scripted {
    control: Control,
    key: &'static str,
    mode: &'static str,
    session: u32,
}

impl RawLock for Scripted {
    type Key = &'static str;
    type Mode = &'static str;
    type Session = u32;
    type Lend = ByRef;
    type Error = Fault;

    fn key(&self) -> &&'static str {
        &self.key
    }

    fn mode(&self) -> &'static str {
        self.mode
    }

    fn session(&mut self) -> Option<&u32> {
        (!self.control.script().is_away).then_some(&self.session)
    }

    fn is_closed(&self) -> bool {
        self.control.script().closed
    }

    async fn lock(&mut self, _: Wait) -> Result<bool, Error<Fault>> {
        self.control.answer().await
    }

    fn abandon(&mut self) {
        self.control.script().abandoned += 1;
    }

    async fn settle(&mut self) -> Result<(), Error<Fault>> {
        let answer = self.control.script().settles.pop_front().unwrap_or(Answer::Says(true));
        yield_now().await;
        let answer = self.control.say(answer).await.map(drop);
        self.control.script().is_away &= answer.is_err();
        self.control.script().settled += 1;
        answer
    }
}

impl RawUnlock for Scripted {
    async fn unlock(&mut self) -> Result<bool, Error<Fault>> {
        self.control.answer().await
    }
}

impl RawUpdate for Scripted {
    fn set_update(&mut self) {
        self.mode = "update";
    }
}

impl RawUpgrade for Scripted {
    async fn upgrade(&mut self, _: Wait) -> Result<bool, Error<Fault>> {
        self.control.answer().await
    }
}

impl RawConvert for Scripted {
    async fn convert(&mut self, mode: &'static str, _: Wait) -> Result<bool, Error<Fault>> {
        let converted = self.control.answer().await?;
        if converted {
            self.mode = mode;
        }
        Ok(converted)
    }
}
