use crate::Error;
use crate::Mode;
use crate::blame::timed_out;
use crate::driver::Driver;
use crate::held::Part;
use crate::input::{Asking, Granting, Input, Refused};
use crate::locks::Shared;
use crate::model::{Asked, Need, Patience, Refusal, RequestId};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task;
use tokio_util::sync::CancellationToken;

/// A request that is under way. Dropped, it is called back, with what it may have been granted.
pub(crate) struct Pending<D: Driver> {
    shared: Arc<Shared<D>>,
    request: RequestId,
    key: D::Key,
    answer: oneshot::Receiver<Granting<D>>,
    is_open: bool,
    is_try: bool,
}

impl<D: Driver> Pending<D> {
    pub(crate) fn new(
        shared: &Arc<Shared<D>>,
        key: D::Key,
        mode: Mode,
        patience: Patience,
        need: Need,
        cancel: &CancellationToken,
    ) -> Self {
        let (pending, asking) = Self::prepare(shared, key, mode, patience, need, cancel.clone());
        shared.tell(Input::Ask(asking));
        pending
    }

    /// Tries many keys at once: one statement, where nothing is known of them here.
    pub(crate) fn all(
        shared: &Arc<Shared<D>>,
        keys: impl IntoIterator<Item = (D::Key, CancellationToken)>,
        mode: Mode,
    ) -> Vec<Self> {
        let (patience, need) = (Patience::No, Need::Nothing);
        let prepared = keys
            .into_iter()
            .map(|(key, cancel)| Self::prepare(shared, key, mode, patience, need, cancel));
        let (pending, asking) = prepared.unzip();
        shared.tell(Input::AskAll(asking));
        pending
    }

    fn prepare(
        shared: &Arc<Shared<D>>,
        key: D::Key,
        mode: Mode,
        patience: Patience,
        need: Need,
        cancel: CancellationToken,
    ) -> (Self, Asking<D>) {
        let (sender, answer) = oneshot::channel();
        let (shared, request) = (Arc::clone(shared), shared.request());
        let asked = Asked { request, key: key.clone(), mode, patience, need };
        let asking = Asking { asked, task: task::try_id(), cancel, answer: sender };
        let is_try = patience == Patience::No;
        (Self { shared, request, key, answer, is_open: true, is_try }, asking)
    }

    /// Waits for the answer.
    pub(crate) async fn granted(mut self) -> Result<Part<D>, Error<D::Error>> {
        match self.heard().await {
            Ok(part) => Ok(part),
            Err(Refusal::TimedOut) if !self.is_try => {
                // Rare, and larger than the rest of this future.
                Err(Box::pin(timed_out(Arc::clone(&self.shared), &self.key)).await)
            }
            Err(refused) => Err(Error::refused::<D>(&self.key, refused)),
        }
    }

    /// The same, with a refusal that may be told to many.
    pub(crate) async fn answer(mut self) -> Result<Part<D>, Refused<D>> {
        self.heard().await
    }

    async fn heard(&mut self) -> Result<Part<D>, Refused<D>> {
        let granting = (&mut self.answer).await.map_err(|_| Refusal::Closed)?;
        self.is_open = false;
        Ok(Part { request: self.request, key: self.key.clone(), hold: granting? })
    }
}

impl<D: Driver> Drop for Pending<D> {
    fn drop(&mut self) {
        if self.is_open {
            self.shared.tell(Input::Drop(self.request));
        }
    }
}
