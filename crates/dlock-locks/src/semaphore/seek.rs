use super::pool::Pool;
use crate::Mode;
use crate::driver::Driver;
use crate::held::Held;
use crate::input::{Input, Refused};
use crate::model::{Need, Patience, Refusal};
use crate::pending::Pending;
use futures::future::{Either, join_all, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often who is through the turnstile looks for permits.
const LOOKS: Duration = Duration::from_millis(10);
/// For how long who does not wait waits for the turnstile: others are in it for moments, or else there is no
/// permit.
const TURN: Duration = Duration::from_millis(25);
/// How often it is looked whether somebody still waits; a change tells sooner.
const LONG: Duration = Duration::from_secs(1);

/// Looks for permits of one semaphore while somebody waits for one: on the engine's thread, whatever becomes
/// of the callers' runtimes.
pub(crate) struct Seek<D: Driver> {
    pool: Arc<Pool<D>>,
    is_over: bool,
}

impl<D: Driver> Seek<D> {
    pub(crate) fn start(pool: &Arc<Pool<D>>) {
        let seek = Self { pool: Arc::clone(pool), is_over: false };
        pool.shared.tell(Input::Run(Box::new(|_, _| Box::pin(seek.run()))));
    }

    async fn run(mut self) {
        while !self.pool.rests() {
            if let Err(refused) = self.seek().await {
                self.pool.refuse_all(&refused);
            }
        }
        self.is_over = true;
    }

    /// Passes the turnstile, and looks for permits until there was one or nobody waits any more.
    async fn seek(&self) -> Result<(), Refused<D>> {
        let Some(turnstile) = self.pass().await? else { return Ok(()) };
        while self.pool.is_wanted() && !turnstile.is_lost() {
            let begun = self.pool.shared.clock.now();
            if self.try_slots().await? {
                return Ok(());
            }
            self.pool.refuse_tries(begun);
            self.pool.pause(LOOKS).await;
        }
        Ok(())
    }

    /// Waits for the turnstile. `None`: nobody waits any more.
    async fn pass(&self) -> Result<Option<Held<D>>, Refused<D>> {
        self.some_are_elsewhere().await;
        if !self.pool.is_wanted() {
            return Ok(None);
        }
        let (shared, cancel) = (&self.pool.shared, CancellationToken::new());
        let (key, mode) = (self.pool.turnstile.clone(), Mode::Exclusive);
        let pending = Pending::new(shared, key, mode, Patience::Forever, Need::Nothing, &cancel);
        let mut passed = pin!(pending.answer());
        while self.pool.is_wanted() {
            let longest = if self.pool.has_tries() { TURN } else { LONG };
            match select(passed.as_mut(), pin!(self.pool.pause(longest))).await {
                Either::Left((part, _)) => {
                    return Ok(Some(Held::new(Arc::clone(shared), vec![part?], mode, cancel)));
                }
                Either::Right(_) => {
                    self.pool.refuse_tries(shared.clock.now().saturating_sub(TURN));
                }
            }
        }
        Ok(None)
    }

    /// While each permit is in this process, it is handed over there.
    async fn some_are_elsewhere(&self) {
        while self.pool.is_wanted() && self.pool.is_complete() {
            self.pool.refuse_tries(self.pool.shared.clock.now());
            select(pin!(self.pool.pause(LONG)), pin!(self.pool.one_is_lost())).await;
        }
    }

    /// Tries all that are not here, in one statement, and keeps as many as are wanted. Whether any was? The
    /// others are let go before the turnstile is: who comes next finds them free.
    async fn try_slots(&self) -> Result<bool, Refused<D>> {
        let (shared, mode) = (&self.pool.shared, Mode::Exclusive);
        let (indices, keys): (Vec<_>, Vec<_>) = self.pool.elsewhere().into_iter().unzip();
        let tokens = Vec::from_iter(keys.iter().map(|_| CancellationToken::new()));
        let tries = Pending::all(shared, keys.into_iter().zip(tokens.iter().cloned()), mode);
        let (mut is_taken, mut left) = (false, Vec::new());
        for ((index, cancel), pending) in indices.into_iter().zip(tokens).zip(tries) {
            let part = match pending.answer().await {
                Ok(part) => part,
                Err(Refusal::TimedOut) => continue,
                Err(refused) => return Err(refused),
            };
            let held = Held::new(Arc::clone(shared), vec![part], mode, cancel);
            match self.pool.arrived(index, held) {
                Some(held) => left.push(held.release()),
                None => is_taken = true,
            }
        }
        // One that was lost meanwhile is free too.
        join_all(left).await;
        Ok(is_taken)
    }
}

/// Where it ends before its time, the engine is gone, and so is everything that was waited for.
impl<D: Driver> Drop for Seek<D> {
    fn drop(&mut self) {
        while !self.is_over && !self.pool.rests() {
            self.pool.refuse_all(&Refusal::Closed);
        }
    }
}
