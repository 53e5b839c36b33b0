//! Leadership: one body at a time in all processes, again and again.

mod follow;
mod reign;
mod term;

pub use term::Term;

use crate::driver::Driver;
use crate::sync::Mutex;
use crate::{Error, Held, Locks, Request};
use dlock_core::{KeyError, sleep};
use futures::future::select;
use reign::Reign;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;
use tracing::warn;

/// How long it is until one competes again, the first time it failed: doubled each time.
const BACK_OFF: Duration = Duration::from_millis(100);
/// The longest that becomes.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

/// One seat for each name of which somebody in this process leads or wants to.
pub(crate) type Seats<K> = Mutex<HashMap<K, Weak<tokio::sync::Mutex<()>>>>;

impl<D: Driver> Locks<D> {
    /// Leads, again and again: acquires the name, runs the body with a [`Term`], and competes for the next
    /// term when it returns [`ControlFlow::Continue`], when it [resigns](Term::resign), or when the
    /// leadership is lost. `Break` releases and returns.
    ///
    /// When the trusted time runs out, [`Term::cancelled`] is ready a fifth of the lease before: the body may
    /// finish what it does meanwhile. Then it is dropped at its next await, what it
    /// [spawned](Term::spawn) is aborted and joined, and only then it competes again. A session that was killed
    /// leaves no such time. Two bodies of one process never run at a time; those of two machines only where
    /// the key was free before its holder could know, and against that there are fences:
    /// `locks.key(name)?.fenced().lead(body)`.
    ///
    /// ```text
    ///             granted            body returns, resigns, or is dropped
    ///  Competing ─────────► Leading ─────────────────────────────────────► Leaving
    ///      ▲                   │ trust runs out: token, grace                 │ tasks joined, released
    ///      └───────────────────┴──────────────────────────────────────────────┘
    /// ```
    ///
    /// A call that is spawned takes a body that owns what it uses, `async move |term| …`: one that borrows is
    /// not `Send` there.
    ///
    /// ```
    /// use dlock_db::{Driver, Locks, Term};
    /// use std::ops::ControlFlow;
    /// use std::sync::Arc;
    ///
    /// async fn sweep(_table: &str) {}
    ///
    /// fn lead<D: Driver>(locks: Locks<D>, key: D::Key, table: Arc<str>) -> impl Future {
    ///     async move {
    ///         let body = async move |term: Term<D>| {
    ///             while !term.cancelled().is_cancelled() {
    ///                 sweep(&table).await;
    ///             }
    ///             ControlFlow::<()>::Continue(())
    ///         };
    ///         locks.lead(key, body).await
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Key`]; [`Error::Closed`], when the factory is closed: the body is dropped then, without a
    /// grace. Where competing fails for another reason, a missing table of fences among them, it goes on,
    /// later each time, with a warning in traces.
    ///
    /// # Cancel safety
    /// Dropped, so is the body; the leadership is released when what it spawned has ended. On a runtime that
    /// nobody drives any more that does not end, and the leadership stays.
    #[doc(alias = "election")]
    #[doc(alias = "leader")]
    pub async fn lead<K, T, F>(&self, name: K, body: F) -> Result<T, Error<D::Error>>
    where
        K: TryInto<D::Key, Error: Into<KeyError>>,
        F: AsyncFnMut(Term<D>) -> ControlFlow<T>,
    {
        self.key(name)?.lead(body).await
    }
}

impl<D: Driver> Request<D> {
    /// Leads under this key, as [`Locks::lead`] does. Where it is [fenced](Self::fenced), each term has a
    /// [token](Term::token).
    ///
    /// # Errors
    /// As [`Locks::lead`].
    ///
    /// # Cancel safety
    /// As [`Locks::lead`].
    ///
    /// # Panics
    /// On a request for a mode that many may hold.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let locks = dlock_db::memory::Database::new().locks();
    /// use std::ops::ControlFlow;
    ///
    /// let request = locks.key("scheduler")?;
    /// let value = request.lead(async |term| ControlFlow::Break(term.key().to_string())).await?;
    /// assert_eq!(value, "scheduler");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn lead<T, F>(&self, mut body: F) -> Result<T, Error<D::Error>>
    where
        F: AsyncFnMut(Term<D>) -> ControlFlow<T>,
    {
        assert!(!self.mode_asked().is_compatible_with_itself(), "one leads at a time");
        self.permitted()?;
        let seat = self.seat();
        loop {
            let turn = Arc::clone(&seat).lock_owned().await;
            let reign = Reign::new(self.of(), self.compete().await?, turn);
            let returned = reign.until_over(body(reign.term())).await;
            reign.leave().await;
            if let Some(ControlFlow::Break(value)) = returned {
                return Ok(value);
            }
        }
    }

    /// Acquires, however often that has to be tried.
    async fn compete(&self) -> Result<Held<D>, Error<D::Error>> {
        let mut pause = BACK_OFF;
        loop {
            match self.lock().await {
                Err(Error::Closed) => return Err(Error::Closed),
                Err(error) => warn!(db.system.name = D::SYSTEM, %error, "competing failed"),
                granted => return granted,
            }
            let pausing = sleep(pause.mul_f64(1.0 + fastrand::f64() / 2.0));
            select(pin!(pausing), pin!(self.of().closed.cancelled())).await;
            if self.of().is_closed() {
                return Err(Error::Closed);
            }
            pause = LONGEST_BACK_OFF.min(pause * 2);
        }
    }

    /// What one has who leads in this process, or competes: one at a time.
    fn seat(&self) -> Arc<tokio::sync::Mutex<()>> {
        let mut seats = self.of().seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(self.key()).and_then(Weak::upgrade) {
            return seat;
        }
        seats.retain(|_, seat| seat.strong_count() > 0);
        let seat = Arc::new(tokio::sync::Mutex::new(()));
        seats.insert(self.key().clone(), Arc::downgrade(&seat));
        seat
    }
}
