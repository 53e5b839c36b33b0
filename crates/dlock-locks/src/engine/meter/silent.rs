use super::Levels;
use crate::{Error, LostReason};
use std::future::Future;

/// Counts nothing.
#[derive(Debug)]
pub(crate) struct Meter;

impl Meter {
    pub(crate) fn new(_system: &'static str, _name: &str) -> Self {
        Self
    }

    pub(crate) async fn acquire<T, E>(
        &self,
        acquiring: impl Future<Output = Result<T, Error<E>>>,
    ) -> Result<T, Error<E>> {
        acquiring.await
    }

    pub(crate) fn lost(&self, _reason: LostReason) {}

    pub(crate) fn reconnected(&self) {}

    pub(crate) fn not_connected(&self) {}

    pub(crate) fn set_levels(&self, _levels: impl FnOnce() -> Levels) {}
}
