//! A server that was started here: its room, its port and its process.

use std::fmt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::process::{Kind, Process, signal};
use super::room::Room;

/// What is needed to run a server, again and again.
pub(super) struct Private {
    version: String,
    port: u16,
    kind: Kind,
    command: Box<dyn Fn() -> Command + Send + Sync>,
    // Dropped before the room that it lives in.
    process: Mutex<Option<Process>>,
    room: Room,
}

impl Private {
    /// A server in that room, started by that command, which listens on that port.
    pub(super) fn start(
        version: String,
        port: u16,
        kind: Kind,
        room: Room,
        command: impl Fn() -> Command + Send + Sync + 'static,
    ) -> Result<Self> {
        let (command, process) = (Box::new(command), Mutex::default());
        let private = Self { version, port, kind, command, process, room };
        private.run().map(|()| private)
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn log(&self) -> String {
        self.process().as_ref().map(Process::log).unwrap_or_default()
    }

    pub(super) fn run(&self) -> Result<()> {
        let process = Process::start((self.command)(), self.kind, self.room.path())?;
        *self.process() = Some(process);
        Ok(())
    }

    pub(super) fn stop(&self) {
        if let Some(process) = self.process().take() {
            process.stop();
        }
    }

    pub(super) fn crash(&self) {
        if let Some(process) = self.process().take() {
            process.crash();
        }
    }

    pub(super) fn pause(&self) -> Result<()> {
        signal(self.id()?, Signal::STOP)
    }

    pub(super) fn unpause(&self) -> Result<()> {
        signal(self.id()?, Signal::CONT)
    }

    fn id(&self) -> Result<u32> {
        self.process().as_ref().map(Process::id).context("the server is not running")
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Private").field("version", &self.version).field("port", &self.port).finish()
    }
}
