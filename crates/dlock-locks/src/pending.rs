use crate::Error;
use crate::Mode;
use crate::driver::Driver;
use crate::held::Part;
use crate::input::{Asking, Granting, Input, Refused};
use crate::locks::Shared;
use crate::model::{Asked, Need, Patience, Refusal, RequestId};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// A request that is under way. Dropped, it is called back, with what it may have been granted.
pub(crate) struct Pending<D: Driver> {
    shared: Arc<Shared<D>>,
    request: RequestId,
    key: D::Key,
    answer: oneshot::Receiver<Granting<D>>,
    is_open: bool,
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
        let asking = Asking { asked, cancel, answer: sender };
        (Self { shared, request, key, answer, is_open: true }, asking)
    }

    /// Waits for the answer.
    pub(crate) async fn granted(self) -> Result<Part<D>, Error<D::Error>> {
        let key = self.key.clone();
        self.answer().await.map_err(|refused| Error::refused::<D>(&key, refused))
    }

    /// The same, with a refusal that may be told to many.
    pub(crate) async fn answer(mut self) -> Result<Part<D>, Refused<D>> {
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
