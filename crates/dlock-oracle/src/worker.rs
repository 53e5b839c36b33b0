//! The thread that makes all calls of the locks over one connection.

use crate::Error;
use crate::session::Session;
use oracle::Connection;
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

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
        let advice = "no thread could be started for the connection: raise the limit on threads";
        thread.spawn(|| worker.run()).map_err(|_| Error::Setup { advice, source: None })
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

    /// Makes a call that may take as long as `longest`, whatever the caller's own call time-out. One
    /// that the caller sets meanwhile stays.
    pub(crate) fn patiently<T>(&self, longest: Duration, call: impl FnOnce(&Connection) -> T) -> T {
        let connection = &self.session.connection;
        // A client older than 18 has no call time-out, and fails neither here nor below.
        let timeout = || connection.call_timeout().ok().flatten();
        let usual = timeout().filter(|usual| *usual < longest);
        if usual.is_some() {
            drop(connection.set_call_timeout(Some(longest)));
        }
        let given = timeout();
        let result = call(connection);
        if usual.is_some() && timeout() == given {
            drop(connection.set_call_timeout(usual));
        }
        result
    }
}
