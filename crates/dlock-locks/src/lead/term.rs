use crate::driver::Driver;
use crate::hold::Hold;
use crate::sync::Mutex;
use crate::{Lost, LostReason};
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// One's turn to lead. It is cheap to clone, and clones are the same term.
#[doc(alias = "leader")]
pub struct Term<D: Driver> {
    state: Arc<State<D>>,
}

struct State<D: Driver> {
    key: D::Key,
    hold: Arc<Hold>,
    /// Cancelled when it is over, or is about to be.
    cancel: CancellationToken,
    resigned: CancellationToken,
    /// What was spawned; `None` once the term is over.
    tasks: Mutex<Option<JoinSet<()>>>,
}

impl<D: Driver> Term<D> {
    pub(crate) fn new(key: D::Key, hold: Arc<Hold>) -> Self {
        let (cancel, resigned) = (CancellationToken::new(), CancellationToken::new());
        let tasks = Mutex::new(Some(JoinSet::new()));
        Self { state: Arc::new(State { key, hold, cancel, resigned, tasks }) }
    }

    /// What is led, as the server sees it.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// println!("leads {}", term.key());
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    #[must_use]
    pub fn key(&self) -> &D::Key {
        &self.state.key
    }

    /// The number of the term's fence, higher than that of any term before. `None` where
    /// [`fenced`](crate::Request::fenced) was not asked for.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// println!("term {:?}", term.token());
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    #[must_use]
    pub fn token(&self) -> Option<u64> {
        self.state.hold.token()
    }

    /// A token that is cancelled when the term is over: where its trusted time runs out, a fifth of the lease
    /// before.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// # async fn step() {}
    /// while !term.cancelled().is_cancelled() {
    ///     step().await;
    /// }
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    #[must_use]
    pub fn cancelled(&self) -> CancellationToken {
        self.state.cancel.clone()
    }

    /// How long the leadership is certainly held from now on. `None`: its session has no lease, so that nobody
    /// can say.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// if let Some(left) = term.trusted_for() {
    ///     println!("leads for {left:?} at least, whatever happens");
    /// }
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    #[must_use]
    pub fn trusted_for(&self) -> Option<Duration> {
        if self.is_over() { Some(Duration::ZERO) } else { self.state.hold.trusted_for() }
    }

    /// Asks before a side effect: is the leadership trusted for at least so long?
    ///
    /// # Errors
    /// [`Lost`] where the term is over, or not trusted for so long: the work must not begin.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// use std::time::Duration;
    ///
    /// term.must_have(Duration::from_secs(2))?; // long enough for what comes now
    /// // … the side effect …
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    pub fn must_have(&self, duration: Duration) -> Result<(), Lost> {
        let hold = &self.state.hold;
        let reason = match hold.lost() {
            Some(reason) => reason,
            None if self.is_over() => LostReason::Ended,
            None if hold.trusted_for().is_some_and(|left| left < duration) => LostReason::Silent,
            None => return Ok(()),
        };
        Err(Lost::new(self.state.key.to_string(), reason))
    }

    /// Runs a future beside the body, in the runtime of the caller. It is aborted at its next await when the
    /// term is over, and nobody leads in this process before it has ended. On a term that is over it is
    /// dropped at once. What it returns is dropped.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// # async fn refresh() {}
    /// term.spawn(refresh()); // ends with the term
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let hold = Arc::clone(&self.state.hold);
        let mut tasks = self.state.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tasks) = tasks.as_mut() else { return };
        // What has ended need not be kept.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(while_held(hold, future));
    }

    /// Gives the leadership up: the body is dropped at its next await, and everybody competes again.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Driver, Lost, Term};
    /// # use std::ops::ControlFlow;
    /// # async fn body<D: Driver>(term: Term<D>) -> Result<ControlFlow<()>, Lost> {
    /// term.resign(); // the next await is the last
    /// # Ok(ControlFlow::Continue(()))
    /// # }
    /// ```
    pub fn resign(&self) {
        self.state.resigned.cancel();
    }

    pub(crate) fn has_resigned(&self) -> bool {
        self.state.resigned.is_cancelled()
    }

    pub(crate) async fn resigned(&self) {
        self.state.resigned.cancelled().await;
    }

    fn is_over(&self) -> bool {
        self.state.tasks.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// It is over; what was spawned is aborted, and has to be joined.
    pub(crate) fn end(&self) -> JoinSet<()> {
        self.state.cancel.cancel();
        let mut tasks = self.state.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tasks = tasks.take().unwrap_or_default();
        tasks.abort_all();
        tasks
    }
}

/// Runs it for as long as the hold is not lost by the clock, which is looked at before each poll: whoever
/// should abort it may be held up.
async fn while_held(hold: Arc<Hold>, future: impl Future) {
    let mut future = pin!(future);
    poll_fn(|context| match hold.lost() {
        Some(_) => Poll::Ready(()),
        None => future.as_mut().poll(context).map(drop),
    })
    .await;
}

impl<D: Driver> Clone for Term<D> {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state) }
    }
}

impl<D: Driver> fmt::Debug for Term<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Term")
            .field("key", self.key())
            .field("token", &self.token())
            .field("cancelled", &self.state.cancel.is_cancelled())
            .finish_non_exhaustive()
    }
}
