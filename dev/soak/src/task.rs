//! One task: connects, fights for a key, drops futures and guards, and watches every promise.

use crate::dice::Dice;
use crate::event::Kind;
use crate::gate::Gate;
use crate::section::{Found, enter, leave};
use crate::tally::Tally;
use crate::target::{KEYS, Target};
use anyhow::{Context, Result, anyhow, bail, ensure};
use dlock_core::{Error, GRACE, Guard, Lock, RawLock, Wait};
use dlock_testkit::polled::polled;
use std::thread;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// How much later than promised a bounded call may return on a machine that is busy.
const SLACK: Duration = Duration::from_secs(2);
/// How long a section, or another call that promises no bound, may take on a server that is silent.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(5);

type LockOf<T> = Lock<<T as Target>::Raw>;
type GuardOf<'a, T> = Guard<'a, <T as Target>::Raw>;
type ErrorOf<T> = Error<<<T as Target>::Raw as RawLock>::Error>;

/// One task on one server.
#[derive(Debug)]
pub struct Task<T> {
    kind: Kind,
    target: T,
    dice: Dice,
    gate: Gate,
    tally: Tally,
}

/// What a round does with the key.
#[derive(Clone, Copy, Debug)]
enum Play {
    Section,
    DropWait,
    DropGuard,
    DropOwned,
    DropStatement,
    DropRelease,
}

impl<T: Target> Task<T> {
    /// A task that has done nothing yet.
    pub fn new(kind: Kind, target: T, dice: Dice, gate: Gate, tally: Tally) -> Self {
        Self { kind, target, dice, gate, tally }
    }

    /// Works until the process ends.
    pub async fn run(mut self) {
        loop {
            self.gate.pass().await;
            if let Err(error) = self.visit().await {
                let innermost = error.chain().next().map(ToString::to_string);
                self.count(&format!("session given up: {}", innermost.unwrap_or_default()));
                sleep(self.dice.millis(1, 60)).await;
            }
        }
    }

    fn count(&self, what: &str) {
        self.tally.count(self.kind, what);
    }

    fn violation(&self, what: &str) {
        self.tally.violation(self.kind, what);
    }

    /// One session: some rounds, until it fails.
    async fn visit(&mut self) -> Result<()> {
        let key = *self.dice.pick(&KEYS).context("there are keys")?;
        let lock = timeout(CONNECT, self.target.lock(key)).await;
        let mut lock = lock.context("no connection in time")?.context("no connection")?;
        let session = lock.session().context("a new lock has its session")?;
        let name = timeout(PATIENCE, T::name(session)).await;
        let me = name.context("no name in time")?.context("no name")?;
        for _ in 0..=self.dice.below(40) {
            self.gate.pass().await;
            let play = self.play();
            if let Play::DropOwned = play {
                return self.drop_owned(lock).await;
            }
            self.round(&mut lock, key, &me, play).await?;
            self.settled(&mut lock).await?;
        }
        Ok(())
    }

    fn play(&mut self) -> Play {
        match self.dice.below(100) {
            0..50 => Play::Section,
            50..75 => Play::DropWait,
            75..86 => Play::DropGuard,
            86..88 => Play::DropOwned,
            88..94 => Play::DropStatement,
            _ => Play::DropRelease,
        }
    }

    async fn round(&mut self, lock: &mut LockOf<T>, key: &str, me: &str, play: Play) -> Result<()> {
        let guard = match play {
            Play::DropWait => self.drop_wait(lock).await?,
            _ => self.acquire(lock).await?,
        };
        let Some(mut guard) = guard else { return Ok(()) };
        self.section(&mut guard, key, me).await?;
        match play {
            Play::DropGuard => {
                self.count("guards dropped");
                drop(guard);
                Ok(())
            }
            Play::DropStatement => self.drop_statement(guard).await,
            Play::DropRelease => {
                self.count("releases dropped");
                let polls = usize::try_from(self.dice.below(4))?;
                drop(polled(guard.release(), polls).await);
                Ok(())
            }
            Play::Section | Play::DropWait | Play::DropOwned => self.release(guard).await,
        }
    }

    /// A bounded acquire, which must return in time whatever happens.
    async fn acquire<'a>(&mut self, lock: &'a mut LockOf<T>) -> Result<Option<GuardOf<'a, T>>> {
        let limit = match self.dice.below(4) {
            0 => Duration::ZERO,
            1 => self.dice.micros(1, 20_000),
            _ => self.dice.millis(20, 2_000),
        };
        let start = Instant::now();
        let answer = timeout(limit + GRACE + SLACK, lock.lock_within(limit)).await;
        self.tally.outlasted(self.kind, start.elapsed().saturating_sub(limit));
        let Ok(answer) = answer else {
            self.violation(&format!("hang: a wait of {limit:?} had not returned 7 s later"));
            bail!("hang");
        };
        self.count("bounded calls");
        self.granted(answer)
    }

    fn granted<'a>(
        &self,
        answer: Result<GuardOf<'a, T>, ErrorOf<T>>,
    ) -> Result<Option<GuardOf<'a, T>>> {
        match answer {
            Ok(guard) => Ok(Some(guard)),
            Err(Error::TimedOut) => {
                self.count("waits timed out");
                Ok(None)
            }
            Err(error @ (Error::AlreadyHeld | Error::AlreadyLocked | Error::WrongMode)) => {
                self.violation(&format!("wrong answer: {error}"));
                Err(error.into())
            }
            Err(error) => {
                self.count(&format!("acquire: {}", short(&error)));
                Err(error.into())
            }
        }
    }

    /// A wait that is dropped at some moment, unless it is granted before.
    async fn drop_wait<'a>(&mut self, lock: &'a mut LockOf<T>) -> Result<Option<GuardOf<'a, T>>> {
        let patience = match self.dice.below(4) {
            0 => self.dice.millis(5, 300),
            _ => self.dice.micros(0, 6_000),
        };
        let wait = match self.dice.below(2) {
            0 => Wait::Forever,
            _ => Wait::For(Duration::from_secs(60)),
        };
        let answer = match wait.limit() {
            Some(limit) => timeout(patience, lock.lock_within(limit)).await,
            None => timeout(patience, lock.lock()).await,
        };
        match answer {
            Ok(answer) => self.granted(answer),
            Err(_) => {
                self.count("waits dropped");
                Ok(None)
            }
        }
    }

    /// In, an answer of its own to each statement, and out.
    async fn section(&mut self, guard: &mut GuardOf<'_, T>, key: &str, me: &str) -> Result<()> {
        let section = self.alone(guard, key, me);
        timeout(PATIENCE, section).await.context("section: no answer in time")?
    }

    async fn alone(&mut self, guard: &mut GuardOf<'_, T>, key: &str, me: &str) -> Result<()> {
        self.found(enter::<T>(guard, key, me).await.context("section: entering failed")?)?;
        for _ in 0..=self.dice.below(3) {
            let number = self.question()?;
            let said = T::echo(guard.session(), number).await.context("section: no answer")?;
            self.answered(number, said);
            if self.dice.below(3) == 0 {
                sleep(self.dice.micros(0, 3_000)).await;
            }
        }
        self.found(leave::<T>(guard, key, me).await.context("section: leaving failed")?)?;
        self.count("critical sections");
        Ok(())
    }

    fn found(&self, found: Found) -> Result<()> {
        match found {
            Found::Alone => Ok(()),
            Found::Inherited => {
                self.count("sections after one who died inside");
                Ok(())
            }
            Found::Overlap(what) => {
                self.violation(&format!("overlap: {what}"));
                Err(anyhow!("overlap"))
            }
        }
    }

    /// A number that is never asked for twice.
    fn question(&mut self) -> Result<i64> {
        Ok(i64::try_from(self.dice.below(1 << 50))?)
    }

    /// Each statement gets its own answer.
    fn answered(&self, number: i64, said: i64) {
        self.count("statements answered");
        if said != number {
            self.violation(&format!("wrong answer: {said} to a statement that asks for {number}"));
        }
    }

    async fn release(&mut self, guard: GuardOf<'_, T>) -> Result<()> {
        let released = timeout(PATIENCE, guard.release()).await;
        match released.context("release: no answer in time")? {
            Ok(()) => Ok(()),
            Err(error) => {
                self.count(&format!("release: {}", short(&error)));
                Err(error.into())
            }
        }
    }

    /// A statement of the caller's on the lock's own session is dropped; then the lock is released.
    async fn drop_statement(&mut self, mut guard: GuardOf<'_, T>) -> Result<()> {
        self.count("statements dropped");
        let polls = usize::try_from(self.dice.below(4))?;
        drop(polled(T::echo(guard.session(), 1), polls).await);
        self.release(guard).await
    }

    /// An owned guard is dropped on a thread that knows no runtime.
    async fn drop_owned(&mut self, lock: LockOf<T>) -> Result<()> {
        let limit = self.dice.millis(0, 2_000);
        let guard = match lock.lock_owned_within(limit).await {
            Ok(guard) => guard,
            Err(failure) => return Err(failure.error).context("owned guard"),
        };
        self.count("guards dropped off the runtime");
        let dropped = spawn_blocking(move || thread::spawn(move || drop(guard)).join());
        ensure!(dropped.await?.is_ok(), "a drop panicked");
        Ok(())
    }

    /// Whatever was dropped: the lock comes out of doubt, and its session answers or has ended.
    async fn settled(&mut self, lock: &mut LockOf<T>) -> Result<()> {
        let closed = timeout(PATIENCE, lock.close()).await;
        closed.context("close: no answer in time")?.context("close failed")?;
        let number = self.question()?;
        let session = lock.session().context("the session was ended")?;
        let said = timeout(PATIENCE, T::echo(session, number)).await;
        self.answered(number, said.context("echo: no answer in time")?.context("echo failed")?);
        Ok(())
    }
}

/// The variant's name.
fn short<E: std::fmt::Debug>(error: &Error<E>) -> String {
    let all = format!("{error:?}");
    all.split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}
