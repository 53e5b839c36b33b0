//! Acquiring: one try, then a wait in slices.

use crate::Error;
use crate::advisory::{Advisory, Hold};
use crate::answer::{
    Native, ends_session, inside, is_beside_concurrently, is_in_failed_transaction, is_not_allowed,
    meaning, standby, tried, truth, word,
};
use crate::halves::Call;
use crate::registry::Claim;
use crate::session::AsSession;
use crate::slice::Slices;
use crate::statement::{self, Form};
use dlock_core::{Wait, within};
use futures::FutureExt;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::error::SqlState;

/// The longest `lock_timeout` that the server takes, in milliseconds.
const LONGEST: u64 = 2_147_483_647;

impl<S: AsSession> Advisory<S> {
    /// Claims the key among the locks on this session, then acquires it.
    pub(crate) async fn acquire(&mut self, wait: Wait) -> Result<bool, Error> {
        let start = Instant::now();
        self.claim().await?;
        match self.attempt(wait).await? {
            false if wait != Wait::No => {
                self.queue_up(Slices::new(start, wait.limit(), self.slice)).await
            }
            granted => Ok(granted),
        }
    }

    async fn claim(&mut self) -> Result<(), Error> {
        self.owner = self.registry.owner();
        loop {
            match self.registry.claim(self.number(), self.owner) {
                None => break,
                Some((_, Claim::Leaving(leaving))) => {
                    self.take_over(&leaving).await?;
                    self.asked = self.mode;
                }
                Some((_, Claim::Wanted)) => return Err(Error::AlreadyHeld),
                Some((_, Claim::Held)) if self.is_held().await => return Err(Error::AlreadyHeld),
                // A lock that was forgotten has left it, or the caller has freed the key by hand; or it has
                // been released meanwhile, and is anybody's.
                Some((holder, Claim::Held)) => {
                    if self.registry.claim_from(holder, self.number(), self.owner) {
                        break;
                    }
                }
            }
        }
        self.hold = Hold::Wanted;
        Ok(())
    }

    /// Whether the session holds the key, as the server says; where it does not say, it does.
    async fn is_held(&self) -> bool {
        let rows = self.ask(&statement::look(self.number())).await;
        rows.map_or(true, |rows| word(&rows) != Some("f"))
    }

    /// One try, and a closer look where it may be none: no wait comes after that.
    async fn attempt(&mut self, wait: Wait) -> Result<bool, Error> {
        let text = statement::try_lock(self.asked, self.number());
        let answer = if self.registry.is_inside() {
            self.ask_for_key(&text, None).await.map(|rows| truth(&rows))
        } else {
            self.call(Call::Try, &text).await
        };
        if let Some(granted) = self.certain(answer).await? {
            self.registry.set_inside(false);
            return Ok(granted);
        }
        let text = statement::try_closely(self.asked, self.number());
        let rows = self.ask_for_key(&text, None).await;
        match tried(&self.certain(rows).await?)? {
            false if wait != Wait::No => Err(inside()),
            granted => Ok(granted),
        }
    }

    /// An answer is told as it is, an error once it is certain that the key is not held.
    async fn certain<T>(&mut self, answer: Result<T, Native>) -> Result<T, Error> {
        match answer {
            Ok(answer) => {
                self.hold = Hold::Wanted;
                Ok(answer)
            }
            Err(error) => Err(self.refused(error).await),
        }
    }

    /// What failed may have been done before it did.
    async fn refused(&mut self, error: Native) -> Error {
        let is_certain =
            ends_session(&error) || is_in_failed_transaction(&error) || is_not_allowed(&error);
        if is_certain {
            self.hold = Hold::Wanted;
        } else {
            // What cannot be settled now is let go of in the background.
            self.hold = Hold::Unknown;
            drop(self.let_go().await);
        }
        self.failed(error)
    }

    /// Waits in the server's queue, slice after slice.
    async fn queue_up(&mut self, mut slices: Slices) -> Result<bool, Error> {
        let mut was_victim = false;
        loop {
            let turn = self.turn(&slices).await;
            let Some(length) = slices.next(self.registry.holds_beside(self.number())) else {
                // Where its turn never came, the key may have become free meanwhile.
                return Ok(turn.is_none() && self.attempt(Wait::No).await?);
            };
            match self.wait_once(length, turn, &mut slices).await {
                Ok(false) => was_victim = false,
                Err(Error::Deadlock(Some(error)))
                    if !was_victim && is_beside_concurrently(&error) =>
                {
                    was_victim = true;
                    slices.see_deadlocks();
                }
                ended => return ended,
            }
        }
    }

    /// The turn to have a wait on the wire, until the time is over.
    async fn turn(&self, slices: &Slices) -> Option<OwnedSemaphorePermit> {
        let turn = self.registry.turn(|| async { drop(self.ask("").await) }.boxed());
        within(slices.left().unwrap_or(Duration::MAX), turn).await.flatten()
    }

    async fn wait_once(
        &mut self,
        length: Duration,
        turn: Option<OwnedSemaphorePermit>,
        slices: &mut Slices,
    ) -> Result<bool, Error> {
        let form = self.registry.form();
        let millis = Wait::millis(length).clamp(1, LONGEST);
        let text = statement::wait(form, self.asked, self.number(), millis);
        self.registry.set_turn(length);
        let rows = match self.ask_for_key(&text, turn).await {
            Ok(rows) => rows,
            Err(error) => return self.not_waited(error, form).await,
        };
        self.hold = Hold::Wanted;
        match rows.first().and_then(|row| row.get(0)) {
            Some("standby") => return Err(standby()),
            Some("transaction") => return Err(inside()),
            setting => slices.learn(setting),
        }
        Ok(truth(&rows) == Some(true))
    }

    async fn not_waited(&mut self, error: Native, form: Form) -> Result<bool, Error> {
        let ran_out = self.registry.ran_out(form, &error);
        if ran_out || error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) {
            self.hold = Hold::Wanted;
            return if ran_out { Ok(false) } else { Err(meaning(error)) };
        }
        Err(self.refused(error).await)
    }
}
