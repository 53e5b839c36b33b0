//! A channel for one message.

pub use tokio::sync::oneshot::error;

use crate::checked::point;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// Who sends.
#[derive(Debug)]
pub struct Sender<T>(oneshot::Sender<T>);

/// Who receives.
#[derive(Debug)]
pub struct Receiver<T>(oneshot::Receiver<T>);

/// A channel for one message.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = oneshot::channel();
    (Sender(sender), Receiver(receiver))
}

impl<T> Sender<T> {
    /// Sends it.
    ///
    /// # Errors
    /// Who receives has gone away.
    pub fn send(self, message: T) -> Result<(), T> {
        point();
        self.0.send(message)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, error::RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        point();
        Pin::new(&mut self.0).poll(context)
    }
}
