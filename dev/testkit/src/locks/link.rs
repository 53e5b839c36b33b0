use crate::proxy::Proxy;
use std::time::Duration;

/// The way from one process to the server, where the faults of a network are made.
pub trait Link: Send + Sync + 'static {
    /// Closes every connection on both sides; new ones work.
    fn cut(&self);

    /// Nothing passes any more, and nobody is told, until [`resume`](Self::resume), which is for new
    /// connections alone.
    fn silence(&self);

    /// Holds everything back until [`resume`](Self::resume), which lets it pass.
    fn stall(&self);

    /// Ends a stall and a silence.
    fn resume(&self);

    /// Each way takes so much longer from now on.
    fn delay(&self, delay: Duration);
}

impl Link for Proxy {
    fn cut(&self) {
        Proxy::cut(self);
    }

    fn silence(&self) {
        self.blackhole();
    }

    fn stall(&self) {
        Proxy::stall(self);
    }

    fn resume(&self) {
        Proxy::resume(self);
    }

    fn delay(&self, delay: Duration) {
        Proxy::delay(self, delay);
    }
}
