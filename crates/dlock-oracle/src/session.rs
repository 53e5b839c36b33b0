//! A session: as a lock takes it, what all locks over it share, and the thread that makes their calls.

use crate::{Error, Lock, Oracle, answer};
use oracle::{ConnStatus, Connection};
use std::collections::{HashMap, VecDeque};
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The sessions that have locks. One that is gone is struck off by the next that comes.
static SESSIONS: Mutex<Vec<Weak<Session>>> = Mutex::new(Vec::new());

/// A session that a lock can be made over: a `Connection` or an `Arc<Connection>`.
pub trait Share: Into<Arc<Connection>> + Send + 'static {
    /// Whether the caller may keep a hold of the connection, and use it while a lock waits.
    const IS_SHARED: bool;

    /// The session as it was handed in; `None` while somebody else has a hold of it.
    fn take_back(connection: Arc<Connection>) -> Option<Self>;
}

impl Share for Connection {
    const IS_SHARED: bool = false;

    fn take_back(connection: Arc<Connection>) -> Option<Self> {
        Arc::into_inner(connection)
    }
}

impl Share for Arc<Connection> {
    const IS_SHARED: bool = true;

    fn take_back(connection: Arc<Connection>) -> Option<Self> {
        Some(connection)
    }
}

impl dlock_core::Session<Oracle> for Connection {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Oracle> for Arc<Connection> {
    type Lock = Lock<Self>;
}

/// What a session's thread does without a break.
pub(crate) type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// A connection, and what its locks and its thread know of it.
pub(crate) struct Session {
    pub(crate) connection: Arc<Connection>,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// It is over. Whether the server has let go of it, the thread knows.
    pub(crate) has_ended: AtomicBool,
}

/// What the thread has to do.
#[derive(Default)]
struct Queue {
    /// What waits for nobody: tries, releases, the first slice of a wait. Goes first.
    urgent: VecDeque<Job>,
    /// Waits between two slices, in turn, and when each is over.
    waits: VecDeque<(Option<Instant>, Job)>,
    /// A statement waits in the server. No other is ever broken off for a lock's sake.
    is_waiting: bool,
    /// It was broken off.
    is_broken: bool,
    locks: usize,
    thread: Option<JoinHandle<()>>,
}

impl Session {
    /// The one of this connection, with a lock more. Who takes it calls [`leave`](Session::leave).
    pub(crate) fn of(connection: Arc<Connection>) -> Arc<Self> {
        let mut sessions = lock(&SESSIONS);
        sessions.retain(|session| session.strong_count() > 0);
        let mut known = sessions.iter().filter_map(Weak::upgrade);
        let known = known.find(|session| Arc::ptr_eq(&session.connection, &connection));
        let session = known.unwrap_or_else(|| {
            let (queue, changed, has_ended) = Default::default();
            let session = Arc::new(Self { connection, queue, changed, has_ended });
            sessions.push(Arc::downgrade(&session));
            session
        });
        lock(&session.queue).locks += 1;
        session
    }

    /// A lock goes. The thread ends when all have gone and nothing is left to do.
    pub(crate) fn leave(&self) {
        lock(&self.queue).locks -= 1;
        self.changed.notify_all();
    }

    pub(crate) fn take_thread(&self) -> Option<JoinHandle<()>> {
        lock(&self.queue).thread.take()
    }

    /// Has the thread do something before any wait goes on: a slice that runs is broken off, and has
    /// its turn afterwards.
    ///
    /// # Errors
    /// When there is no thread yet and none can be started.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Error> {
        let mut queue = lock(&self.queue);
        if queue.thread.is_none() {
            queue.thread = Some(Worker::start(self)?);
        }
        queue.urgent.push_back(job);
        if queue.is_waiting && !queue.is_broken {
            queue.is_broken = self.connection.break_execution().is_ok();
        }
        self.changed.notify_all();
        Ok(())
    }

    /// Begins a statement that waits in the server; `false` when something else is to go first.
    pub(crate) fn begin_slice(&self) -> bool {
        let mut queue = lock(&self.queue);
        queue.is_waiting = queue.urgent.is_empty();
        queue.is_waiting
    }

    /// Ends it: no break is sent from here on. Says whether one was.
    pub(crate) fn finish_slice(&self) -> bool {
        let mut queue = lock(&self.queue);
        queue.is_waiting = false;
        mem::take(&mut queue.is_broken)
    }

    /// Puts a wait back: behind all others where its turn is over, else before them.
    pub(crate) fn wait_again(&self, due: Option<Instant>, is_turn_over: bool, job: Job) {
        let waits = &mut lock(&self.queue).waits;
        let end = if is_turn_over { VecDeque::push_back } else { VecDeque::push_front };
        end(waits, (due, job));
    }

    /// How long until the first of the waits between two slices is over.
    pub(crate) fn first_due(&self) -> Duration {
        let due = lock(&self.queue).waits.iter().filter_map(|(due, _)| *due).min();
        due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()))
    }

    /// Whether it is connected, as far as its client library knows: an attribute, and no call.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.connection.status(), Ok(ConnStatus::Normal))
    }

    /// Whether it is over. A statement that waits will learn it, and is not waited for.
    pub(crate) fn is_over(&self) -> bool {
        let is_waiting = lock(&self.queue).is_waiting;
        self.has_ended.load(Ordering::SeqCst) || !is_waiting && !self.is_connected()
    }

    /// The next thing to do; `None` when there is no lock any more and nothing left to do.
    pub(crate) fn next(&self) -> Option<Job> {
        let mut queue = lock(&self.queue);
        loop {
            let urgent = queue.urgent.pop_front();
            let job = urgent.or_else(|| queue.waits.pop_front().map(|(_, job)| job));
            if job.is_some() {
                return job;
            }
            if queue.locks == 0 {
                // Whoever comes from now on starts another.
                queue.thread = None;
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// One lock's claim on a key, from its request to its release.
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) id: u32,
    /// COMMIT and ROLLBACK free it.
    pub(crate) on_commit: bool,
    /// Nobody waits for the answer any more.
    pub(crate) is_cancelled: AtomicBool,
}

/// The thread's own: its session, and which lock holds which key over it.
pub(crate) struct Worker {
    pub(crate) session: Arc<Session>,
    pub(crate) held: HashMap<u32, Arc<Claim>>,
}

impl Worker {
    pub(crate) fn start(session: &Arc<Session>) -> Result<JoinHandle<()>, Error> {
        let worker = Self { session: Arc::clone(session), held: HashMap::new() };
        let thread = thread::Builder::new().name("dlock-oracle".to_owned());
        thread.spawn(|| worker.run()).map_err(|_| answer::no_thread())
    }

    fn run(mut self) {
        while let Some(job) = self.session.next() {
            let job = AssertUnwindSafe(|| job(&mut self));
            if panic::catch_unwind(job).is_err() {
                // Nobody knows what is held: only the end of the session frees it for certain.
                self.end();
            }
        }
    }

    pub(crate) fn holds(&self, claim: &Arc<Claim>) -> bool {
        self.held.get(&claim.id).is_some_and(|holder| Arc::ptr_eq(holder, claim))
    }

    /// Ends what is over, also where only a statement of the caller's has met that. Asks nobody.
    pub(crate) fn look(&mut self) {
        if self.session.has_ended.load(Ordering::SeqCst) || !self.session.is_connected() {
            self.end();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
