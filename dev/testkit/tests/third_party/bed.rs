use crate::file_lock::{Directory, FileLock, Lock};
use dlock_core::{SessionRef, hash256};
use dlock_testkit::bed::Bed;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A directory for the files. What is seen of them, Linux tells in `/proc/self`.
pub(crate) struct Files {
    room: TempDir,
}

impl Files {
    fn directory(&self) -> PathBuf {
        self.room.path().join("locks")
    }

    /// What Linux tells of each time that this process has the key's file open.
    fn opened(&self, key: &str) -> Vec<String> {
        let path = self.directory().join(hash256(key).to_string());
        let files = fs::read_dir("/proc/self/fd").expect("Linux").flatten();
        let of_key = files.filter(|file| fs::read_link(file.path()).is_ok_and(|at| at == path));
        let told = of_key.map(|file| Path::new("/proc/self/fdinfo").join(file.file_name()));
        // It may be closed meanwhile.
        told.filter_map(|file| fs::read_to_string(file).ok()).collect()
    }
}

fn holds(told: &str) -> bool {
    told.lines().any(|line| line.starts_with("lock:") && line.contains("FLOCK"))
}

impl Bed for Files {
    type Raw = FileLock;

    /// The kernel wakes nobody: who looks first after a release is served.
    const FAIR: bool = false;

    async fn new() -> Self {
        Self { room: TempDir::new().expect("a temporary directory") }
    }

    async fn lock(&self, key: &str) -> Lock {
        fs::create_dir_all(self.directory()).expect("a directory");
        Lock::new(Directory::open(self.directory()).expect("a session"), key).expect("a key")
    }

    /// A directory has no limits of its own.
    async fn hurried(&self, key: &str) -> Lock {
        self.lock(key).await
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock {
        panic!("files have no address, so nothing for {key} goes through {proxy}");
    }

    async fn holders(&self, key: &str) -> usize {
        self.opened(key).iter().filter(|told| holds(told)).count()
    }

    /// The file is open only while it is held or awaited.
    async fn waiters(&self, key: &str) -> usize {
        self.opened(key).iter().filter(|told| !holds(told)).count()
    }

    /// Removes the directory, and with it every session over it.
    async fn kill(&self, _key: &str) {
        while let Err(error) = fs::remove_dir_all(self.directory()) {
            // Somebody made a file in it meanwhile.
            assert_eq!(error.kind(), io::ErrorKind::DirectoryNotEmpty, "{error}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn echo(session: SessionRef<'_, FileLock>, number: i64) -> io::Result<i64> {
        let path = session.path.join(format!("echo-{number}"));
        tokio::fs::write(&path, number.to_string()).await?;
        let answer = tokio::fs::read_to_string(&path).await?;
        answer.parse().map_err(io::Error::other)
    }
}
