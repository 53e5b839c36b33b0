use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What the server keeps of a session.
#[derive(Debug)]
pub(crate) struct Life {
    /// After how long of silence it is ended.
    lease: Option<Duration>,
    /// When it last said something.
    said: Instant,
    /// Whether nothing goes through any more, in either direction. Goes with the session.
    cut: watch::Sender<bool>,
}

impl Life {
    pub(crate) fn new(lease: Option<Duration>) -> Self {
        Self { lease, said: Instant::now(), cut: watch::Sender::new(false) }
    }

    /// It says something. Whether that is lost on the way?
    pub(crate) fn says(&mut self) -> bool {
        if !self.is_cut() {
            self.said = Instant::now();
        }
        self.is_cut()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.lease.is_some_and(|lease| self.said.elapsed() >= lease)
    }

    pub(crate) fn is_cut(&self) -> bool {
        *self.cut.borrow()
    }

    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Closed when the session ends.
    pub(crate) fn end(&self) -> watch::Receiver<bool> {
        self.cut.subscribe()
    }
}

impl Default for Life {
    fn default() -> Self {
        Self::new(None)
    }
}
