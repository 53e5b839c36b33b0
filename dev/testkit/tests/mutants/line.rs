use dlock_testkit::memory::{Ended, Session};
use std::borrow::Borrow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A session that several locks share, and whose answers may be behind its questions.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    session: Arc<Session>,
    behind: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(session: Session) -> Self {
        Self { session: Arc::new(session), behind: Arc::default() }
    }

    /// From now on each answer is that to the question before.
    pub(crate) fn fall_behind(&self) {
        self.behind.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn echo(&self, number: i64) -> Result<i64, Ended> {
        let answer = self.session.echo(number).await?;
        Ok(answer - i64::from(self.behind.load(Ordering::Relaxed)))
    }
}

impl Borrow<Session> for Line {
    fn borrow(&self) -> &Session {
        &self.session
    }
}
