//! A channel without bounds.

pub use tokio::sync::mpsc::error;

use crate::checked::point;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Who sends.
#[derive(Debug)]
pub struct UnboundedSender<T>(mpsc::UnboundedSender<T>);

/// Who receives.
#[derive(Debug)]
pub struct UnboundedReceiver<T>(mpsc::UnboundedReceiver<T>);

/// A channel without bounds.
#[must_use]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (UnboundedSender(sender), UnboundedReceiver(receiver))
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> UnboundedSender<T> {
    /// Sends it.
    ///
    /// # Errors
    /// Who receives has gone away.
    pub fn send(&self, message: T) -> Result<(), error::SendError<T>> {
        point();
        self.0.send(message)
    }
}

impl<T> UnboundedReceiver<T> {
    /// The next message.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        point();
        self.0.poll_recv(context)
    }

    /// The next messages.
    pub fn poll_recv_many(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        point();
        self.0.poll_recv_many(context, buffer, limit)
    }
}
