use super::term::Term;
use crate::driver::Driver;
use crate::held::Held;
use crate::hold::Hold;
use crate::input::Input;
use crate::locks::Shared;
use dlock_core::sleep;
use futures::future::select;
use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{OwnedMutexGuard, oneshot};

/// A term from within. However it ends, in a panic or dropped too, the key is released and the next in this
/// process has its turn when all that was spawned has ended.
pub(crate) struct Reign<'a, D: Driver> {
    shared: &'a Arc<Shared<D>>,
    term: Term<D>,
    hold: Arc<Hold>,
    /// `None` only once it is left.
    office: Option<(Held<D>, OwnedMutexGuard<()>)>,
}

impl<'a, D: Driver> Reign<'a, D> {
    pub(crate) fn new(
        shared: &'a Arc<Shared<D>>,
        held: Held<D>,
        turn: OwnedMutexGuard<()>,
    ) -> Self {
        let hold = held.hold();
        let term = Term::new(held.key().clone(), Arc::clone(&hold));
        Self { shared, term, hold, office: Some((held, turn)) }
    }

    pub(crate) fn term(&self) -> Term<D> {
        self.term.clone()
    }

    /// Runs the body until the term is over. `None`: it was dropped.
    pub(crate) async fn until_over<F: Future>(&self, body: F) -> Option<F::Output> {
        let (mut body, mut over) = (pin!(body), pin!(self.over()));
        poll_fn(|context| {
            if self.hold.lost().is_some() || over.as_mut().poll(context).is_ready() {
                self.term.cancelled().cancel();
                return Poll::Ready(None);
            }
            match body.as_mut().poll(context) {
                Poll::Pending if self.term.has_resigned() => Poll::Ready(None),
                returned => returned.map(Some),
            }
        })
        .await
    }

    /// Completes when the body has no more time.
    async fn over(&self) {
        let lost = pin!(self.hold.cancelled());
        let resigned = pin!(self.term.resigned());
        let waned = pin!(self.waned());
        select(select(lost, resigned), waned).await;
    }

    /// Tells the body when the trusted time runs out, and completes when the grace is over: about as long as
    /// is left. Answers that come in between come too late.
    async fn waned(&self) {
        let grace = self.shared.settings.lease / 5;
        loop {
            match self.hold.trusted_for() {
                None => pending().await,
                Some(left) if left <= grace => break,
                Some(left) => sleep(left - grace).await,
            }
        }
        self.term.cancelled().cancel();
        sleep(grace.min(self.hold.trusted_for().unwrap_or(Duration::ZERO))).await;
    }

    /// Aborts and joins what was spawned, and releases.
    pub(crate) async fn leave(mut self) {
        if let Some(left) = self.begin_to_leave() {
            // Where the engine is gone, everything is.
            let _ = left.await;
        }
    }

    /// On the engine's thread, whatever becomes of the caller's runtime.
    fn begin_to_leave(&mut self) -> Option<oneshot::Receiver<()>> {
        let (held, turn) = self.office.take()?;
        let mut tasks = self.term.end();
        let (sender, left) = oneshot::channel();
        self.shared.tell(Input::Run(Box::new(move |_, _| {
            Box::pin(async move {
                while tasks.join_next().await.is_some() {}
                // A loss was told to the term.
                let _ = held.release().await;
                drop(turn);
                let _ = sender.send(());
            })
        })));
        Some(left)
    }
}

impl<D: Driver> Drop for Reign<'_, D> {
    fn drop(&mut self) {
        self.begin_to_leave();
    }
}
