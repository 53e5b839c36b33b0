//! The thread of a session, which makes its calls.

use crate::{Error, answer, explain, release};
use oracle::{ConnStatus, Connection};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often it is looked whether an idle session's connection was closed. That asks nobody: a client of 12.2
/// or newer looks at its socket, an older one knows nothing.
/// <https://docs.rs/oracle/0.6.3/oracle/struct.Connection.html#method.status>
const LOOKS: Duration = Duration::from_millis(40);

/// Has a thread of its own do something that blocks.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let (sender, done) = oneshot::channel();
    let run = move || drop(sender.send(work()));
    let thread = thread::Builder::new().name("dlock-oracle".to_owned()).spawn(run);
    thread.map_err(|_| answer::no_thread())?;
    done.await.map_err(|_| Error::Closed)
}

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// A session, as it is reached from elsewhere: its thread makes one call after another, each of them whole,
/// whether or not anybody still waits for the answer. When it is dropped, the thread ends the session.
pub(super) struct Caller {
    connection: Arc<Connection>,
    jobs: Sender<Job>,
    has_ended: Arc<AtomicBool>,
    /// Its sender is dropped when the session is known to be over.
    lives: watch::Receiver<()>,
    /// Its sender is dropped when the server has let go.
    over: oneshot::Receiver<()>,
}

impl Caller {
    /// Starts a thread that connects. Who goes away meanwhile leaves no session behind.
    pub(super) async fn start(
        connect: impl FnOnce() -> oracle::Result<Connection> + Send + 'static,
    ) -> Result<Self, Error> {
        let (jobs, queue) = mpsc::channel();
        let (sender, connected) = oneshot::channel();
        let (alive, lives) = watch::channel(());
        let (going, over) = oneshot::channel();
        let has_ended = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&has_ended);
        let run = move || {
            let _going: oneshot::Sender<()> = going;
            let connection = connect().map(Arc::new);
            let session = connection.as_ref().ok().map(Arc::clone);
            drop(sender.send(connection));
            if let Some(session) = session {
                serve(&session, &queue, &ended);
                drop(alive);
                release::end(&session);
            }
        };
        let thread = thread::Builder::new().name("dlock-oracle".to_owned()).spawn(run);
        thread.map_err(|_| answer::no_thread())?;
        let connection = connected.await.map_err(|_| Error::Closed)?.map_err(explain)?;
        Ok(Self { connection, jobs, has_ended, lives, over })
    }

    /// Has the thread make a call, and waits for the answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> oracle::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.try_call(call).await?.map_err(explain)
    }

    /// The same, with the native error in the answer.
    pub(super) async fn try_call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Connection) -> oracle::Result<T> + Send + 'static,
    ) -> Result<oracle::Result<T>, Error> {
        let (sender, answered) = oneshot::channel();
        let has_ended = Arc::clone(&self.has_ended);
        let job: Job = Box::new(move |connection| {
            let answer = call(connection);
            if answer.as_ref().is_err_and(|error| is_end(connection, error)) {
                has_ended.store(true, Ordering::SeqCst);
            }
            drop(sender.send(answer));
        });
        self.jobs.send(job).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// Completes when the session is known to be over.
    pub(super) async fn ended(&self) {
        let mut lives = self.lives.clone();
        while lives.changed().await.is_ok() {}
    }

    /// Ends the session, whatever runs on it, and returns when the server has answered that.
    pub(super) async fn end(self) {
        self.has_ended.store(true, Ordering::SeqCst);
        drop(self.connection.break_execution());
        drop(self.jobs);
        // Nothing is ever sent.
        let _ = self.over.await;
    }
}

/// Makes calls until nobody wants any more, or the session is over.
fn serve(connection: &Connection, jobs: &Receiver<Job>, has_ended: &AtomicBool) {
    let calls = || {
        while let Some(job) = next(connection, jobs)
            && !has_ended.load(Ordering::SeqCst)
        {
            job(connection);
        }
    };
    // After a panic nobody knows what is held: only the end of the session frees it for certain.
    let _ = panic::catch_unwind(AssertUnwindSafe(calls));
    has_ended.store(true, Ordering::SeqCst);
}

fn next(connection: &Connection, jobs: &Receiver<Job>) -> Option<Job> {
    loop {
        match jobs.recv_timeout(LOOKS) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Timeout) if is_connected(connection) => {}
            Err(_) => return None,
        }
    }
}

fn is_connected(connection: &Connection) -> bool {
    matches!(connection.status(), Ok(ConnStatus::Normal))
}

/// Whether the session is over with this error, by what it says or by what the client library knows.
fn is_end(connection: &Connection, error: &oracle::Error) -> bool {
    answer::ends_session(error) || !is_connected(connection)
}
