use super::permit::Permit;
use super::pool::{Answer, Pool};
use crate::Error;
use crate::driver::Driver;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A place in the queue for permits. Dropped, it is left, and what it was granted meanwhile is given back.
pub(crate) struct Waiting<D: Driver> {
    pool: Arc<Pool<D>>,
    number: u64,
    answer: oneshot::Receiver<Answer<D>>,
}

impl<D: Driver> Waiting<D> {
    pub(crate) fn new(pool: &Arc<Pool<D>>, is_try: bool) -> Self {
        let (number, answer) = pool.join(is_try);
        Self { pool: Arc::clone(pool), number, answer }
    }

    pub(crate) async fn answer(&mut self) -> Result<Permit<D>, Error<D::Error>> {
        let answer = (&mut self.answer).await.map_err(|_| Error::Closed)?;
        answer.map_err(|refused| Error::refused::<D>(self.pool.key(), refused))
    }
}

impl<D: Driver> Drop for Waiting<D> {
    fn drop(&mut self) {
        self.pool.leave(self.number);
    }
}
