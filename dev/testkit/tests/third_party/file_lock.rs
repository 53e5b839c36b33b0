//! A whole driver: the kernel's locks on files (`flock`), one file for each key.

use dlock_core::{ByRef, Deadline, Error, RawIntoSession, RawLock, RawNew, RawUnlock, Wait};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::os::unix::fs::MetadataExt;
use std::{fs::File, io, path::PathBuf, time::Duration};

pub type Lock = dlock_core::Lock<FileLock>;

/// `flock` knows no time-outs, so a wait looks again this often.
const PAUSE: Duration = Duration::from_millis(2);

/// The session: a directory, for as long as nobody removes it.
pub struct Directory {
    pub path: PathBuf,
    handle: File,
}

impl Directory {
    pub fn open(path: PathBuf) -> io::Result<Self> {
        Ok(Self { handle: File::open(&path)?, path })
    }
}

pub struct FileLock {
    session: Directory,
    key: String,
    /// The kernel's lock belongs to the open file: closing it releases.
    held: Option<File>,
}

fn is_removed(file: &File) -> bool {
    file.metadata().map_or(true, |metadata| metadata.nlink() == 0)
}

/// Asks once. A file that was removed meanwhile excludes nobody.
fn try_lock(file: &File) -> Result<bool, Error<io::Error>> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) | Err(Errno::WOULDBLOCK) if is_removed(file) => Err(Error::Interrupted(None)),
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(Error::Driver(error.into())),
    }
}

impl RawNew<Directory> for FileLock {
    fn new(session: Directory, key: String) -> Self {
        Self { session, key, held: None }
    }
}

impl RawLock for FileLock {
    type Key = String;
    type Mode = ();
    type Session = Directory;
    type Lend = ByRef;
    type Error = io::Error;

    fn key(&self) -> &String {
        &self.key
    }

    fn mode(&self) {}

    fn session(&mut self) -> Option<&Directory> {
        (!self.is_closed()).then_some(&self.session)
    }

    fn is_closed(&self) -> bool {
        is_removed(&self.session.handle)
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error<io::Error>> {
        let name = dlock_core::hash256(&self.key).to_string();
        let file = File::create(self.session.path.join(name)).map_err(Error::Driver)?;
        let deadline = Deadline::new(wait);
        while !try_lock(&file)? {
            match deadline.slice(PAUSE) {
                (Wait::For(pause), _) => tokio::time::sleep(pause).await,
                _ => return Ok(false),
            }
        }
        self.held = Some(file);
        Ok(true)
    }

    fn abandon(&mut self) {
        self.held = None;
    }

    /// Closing was done at once: nothing is under way.
    async fn settle(&mut self) -> Result<(), Error<io::Error>> {
        Ok(())
    }
}

impl RawUnlock for FileLock {
    async fn unlock(&mut self) -> Result<bool, Error<io::Error>> {
        Ok(self.held.take().is_some_and(|file| !is_removed(&file)))
    }
}

impl RawIntoSession for FileLock {
    type Owned = Directory;

    fn into_session(self) -> Option<Directory> {
        (!self.is_closed()).then_some(self.session)
    }
}
