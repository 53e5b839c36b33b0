//! The thread that makes the calls of all locks over one connection, in turn.

use crate::session::Session;
use oracle::Connection;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// The workers of this process by the address of their connection, which stays while they live.
static WORKERS: LazyLock<Mutex<HashMap<usize, Arc<Worker>>>> = LazyLock::new(Mutex::default);

/// What the thread does in one turn.
pub(crate) type Job = Box<dyn FnOnce(&mut Session) + Send>;

/// One connection's thread and what it still has to do.
pub(crate) struct Worker {
    queue: Mutex<Queue>,
    changed: Condvar,
    /// The session is over.
    ended: AtomicBool,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// How many locks there are over the connection.
    seats: usize,
    thread: Option<JoinHandle<()>>,
}

/// A lock's place at the worker of its connection. The thread ends when all are gone and nothing is
/// left to do.
pub struct Seat {
    connection: Arc<Connection>,
    worker: Arc<Worker>,
}

impl Seat {
    pub(crate) fn at(connection: Arc<Connection>) -> Self {
        let mut workers = lock(&WORKERS);
        let worker = workers.entry(address(&connection)).or_insert_with(Worker::new);
        lock(&worker.queue).seats += 1;
        Self { worker: Arc::clone(worker), connection }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Lines up a job.
    ///
    /// # Errors
    /// When there is no thread yet and none can be started.
    pub(crate) fn submit(&self, job: Job) -> io::Result<()> {
        let mut queue = lock(&self.worker.queue);
        if queue.thread.is_none() {
            queue.thread = Some(self.start()?);
        }
        drop(queue);
        self.worker.line_up(job);
        Ok(())
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.worker.ended.load(Ordering::SeqCst)
    }

    fn start(&self) -> io::Result<JoinHandle<()>> {
        let worker = Arc::clone(&self.worker);
        let connection = Arc::clone(&self.connection);
        let thread = thread::Builder::new().name("dlock-oracle".to_owned());
        thread.spawn(move || worker.run(connection))
    }

    /// Gives the connection back, with nobody else having a hold of it: for the one lock over it.
    pub(crate) fn leave(self) -> Arc<Connection> {
        let connection = Arc::clone(&self.connection);
        let thread = lock(&self.worker.queue).thread.take();
        drop(self);
        if let Some(thread) = thread {
            // It has nothing to do, and ends at once.
            drop(thread.join());
        }
        connection
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut workers = lock(&WORKERS);
        let mut queue = lock(&self.worker.queue);
        queue.seats -= 1;
        if queue.seats == 0 && queue.thread.is_none() && queue.jobs.is_empty() {
            self.worker.strike_off(&mut workers, &self.connection);
        }
        self.worker.changed.notify_all();
    }
}

impl Worker {
    fn new() -> Arc<Self> {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        Arc::new(Self { queue, changed, ended: AtomicBool::new(false) })
    }

    /// Puts a job behind all others.
    pub(crate) fn line_up(&self, job: Job) {
        lock(&self.queue).jobs.push_back(job);
        self.changed.notify_all();
    }

    /// Says that the session is over.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    fn run(self: Arc<Self>, connection: Arc<Connection>) {
        let mut session = Session::new(connection, Arc::clone(&self));
        while let Some(job) = self.next(session.connection()) {
            let job = AssertUnwindSafe(|| job(&mut session));
            if panic::catch_unwind(job).is_err() {
                // Nobody knows what is held: only the end of the session frees it for certain.
                session.end();
            }
        }
    }

    /// The next job; `None` when nobody will ever have one again.
    fn next(&self, connection: &Arc<Connection>) -> Option<Job> {
        loop {
            let mut queue = lock(&self.queue);
            while queue.jobs.is_empty() && queue.seats > 0 {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            drop(queue);
            if self.retire(connection) {
                return None;
            }
        }
    }

    /// Takes the worker off the list, unless a lock has come meanwhile.
    fn retire(&self, connection: &Arc<Connection>) -> bool {
        let mut workers = lock(&WORKERS);
        let queue = lock(&self.queue);
        let idle = queue.seats == 0 && queue.jobs.is_empty();
        if idle {
            // Whoever sits down from now on has a worker of its own.
            self.strike_off(&mut workers, connection);
        }
        idle
    }

    fn strike_off(&self, workers: &mut HashMap<usize, Arc<Self>>, connection: &Arc<Connection>) {
        let address = address(connection);
        if workers.get(&address).is_some_and(|worker| ptr::eq(Arc::as_ptr(worker), self)) {
            workers.remove(&address);
        }
    }
}

fn address(connection: &Arc<Connection>) -> usize {
    Arc::as_ptr(connection).addr()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("ended", &self.ended).finish_non_exhaustive()
    }
}
