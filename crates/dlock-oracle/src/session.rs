//! A session: as a lock takes it, and as its thread knows it.

use crate::claim::Claim;
use crate::statement::{self, NOTHING, RELEASE};
use crate::worker::{Job, Seat, Worker};
use crate::{Error, Key, Lock, Oracle, User, answer};
use oracle::{ConnStatus, Connection};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// How often a call that a break ended is made again. A break that comes late ends one call that it
/// was not meant for.
const TRIES: usize = 3;

/// A session that a lock can be made over: a `Connection` or an `Arc<Connection>`.
pub trait Share: Sealed + Send + Sized + 'static {
    /// Whether the caller may keep a hold of the connection, and use it while a lock waits.
    const IS_SHARED: bool;
}

/// How a session goes to its thread and comes back.
pub trait Sealed: Sized {
    /// The connection, shared with its thread.
    fn share(self) -> Arc<Connection>;

    /// The session as it was handed in.
    fn take_back(seat: Seat) -> Option<Self>;
}

impl Share for Connection {
    const IS_SHARED: bool = false;
}

impl Sealed for Connection {
    fn share(self) -> Arc<Connection> {
        Arc::new(self)
    }

    fn take_back(seat: Seat) -> Option<Self> {
        Arc::try_unwrap(seat.leave()).ok()
    }
}

impl Share for Arc<Connection> {
    const IS_SHARED: bool = true;
}

impl Sealed for Arc<Connection> {
    fn share(self) -> Arc<Connection> {
        self
    }

    fn take_back(seat: Seat) -> Option<Self> {
        Some(Arc::clone(seat.connection()))
    }
}

impl dlock_core::Session<Oracle> for Connection {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = oracle::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(User::of(self, key))
    }
}

impl dlock_core::Session<Oracle> for Arc<Connection> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = oracle::Error;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(User::of(self, key))
    }
}

/// A session as its thread knows it: the connection, and which lock holds which key.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Arc<Connection>,
    worker: Arc<Worker>,
    held: HashMap<Key, Arc<Claim>>,
}

impl Session {
    pub(crate) fn new(connection: Arc<Connection>, worker: Arc<Worker>) -> Self {
        Self { connection, worker, held: HashMap::new() }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    /// Puts a job behind what is lined up already.
    pub(crate) fn line_up(&self, job: Job) {
        self.worker.line_up(job);
    }

    /// The claim that holds a key over this session, by this process's own book.
    pub(crate) fn holder(&self, key: Key) -> Option<&Arc<Claim>> {
        self.held.get(&key)
    }

    pub(crate) fn is_held_by(&self, claim: &Arc<Claim>) -> bool {
        self.holder(claim.key).is_some_and(|holder| Arc::ptr_eq(holder, claim))
    }

    pub(crate) fn hold(&mut self, claim: &Arc<Claim>) {
        self.held.insert(claim.key, Arc::clone(claim));
    }

    pub(crate) fn forget(&mut self, key: Key) {
        self.held.remove(&key);
    }

    /// Ends the session, so that the server frees what it held.
    pub(crate) fn end(&mut self) {
        self.has_ended();
        // A connection that is gone already cannot be closed, and need not be.
        drop(self.connection.close());
    }

    /// Learns of an end of the session that a statement of the caller's has met. Sends nothing.
    pub(crate) fn look(&mut self) {
        if !matches!(self.connection.status(), Ok(ConnStatus::Normal)) {
            self.has_ended();
        }
    }

    fn has_ended(&mut self) {
        self.held.clear();
        self.worker.end();
    }

    /// What an error of the driver's means; remembers the end of the session.
    pub(crate) fn failed(&mut self, error: oracle::Error) -> Error {
        if answer::ends_session(&error) {
            self.has_ended();
        }
        answer::explain(error)
    }

    /// Releases a key, and gives the code. A call that a break ended is made again; it may have
    /// released all the same, so that "not owned" means "released" from then on.
    pub(crate) fn release(&mut self, key: Key) -> Result<i64, oracle::Error> {
        let mut tries = 1;
        loop {
            let id = i64::from(key.id());
            match statement::call(&self.connection, RELEASE, &[("id", id)]) {
                Err(error) if answer::is_cancelled(&error) && tries < TRIES => tries += 1,
                Ok(answer::OWNED_OR_NOT) if tries > 1 => return Ok(answer::GRANTED),
                result => return result,
            }
        }
    }

    /// Releases a key whoever holds it, or ends the session. Afterwards it is certainly not held.
    pub(crate) fn let_go(&mut self, key: Key) {
        let released = self.release(key);
        self.forget(key);
        if !matches!(released, Ok(answer::GRANTED | answer::OWNED_OR_NOT)) {
            self.end();
        }
    }

    /// Makes a call that does nothing, for a break that is on its way to end.
    pub(crate) fn meet_break(&self) {
        drop(self.connection.execute(NOTHING, &[]));
    }

    /// Makes a call that may take as long as `longest`, whatever the caller's own call time-out.
    pub(crate) fn patiently<T>(&self, longest: Duration, call: impl FnOnce(&Connection) -> T) -> T {
        let usual = self.connection.call_timeout().ok().flatten();
        let Some(usual) = usual.filter(|usual| *usual < longest) else {
            return call(&self.connection);
        };
        // A client older than 18 has no call time-out, and fails neither here nor above.
        drop(self.connection.set_call_timeout(Some(longest)));
        let result = call(&self.connection);
        drop(self.connection.set_call_timeout(Some(usual)));
        result
    }
}
