//! A keeper: a small shell that outlives us by a moment, and takes a server along when we go.
//!
//! A test process may be killed, or may end from a `static` that is never dropped. The keeper
//! reads from a pipe whose other end only we hold: when that closes, for whatever reason, it ends
//! the server and removes its directory.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// Waits for a word; without one (end of file) ends the server: the polite way first, by force
/// after three seconds, its children too.
const SCRIPT: &str = r#"
pid=$1 signal=$2 room=$3
read -r word && exit 0
children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
for child in $children; do kill -CONT "$child" 2>/dev/null; done
kill -CONT "$pid" 2>/dev/null
kill -"$signal" "$pid" 2>/dev/null
i=0
while kill -0 "$pid" 2>/dev/null && [ $i -lt 30 ]; do sleep 0.1; i=$((i + 1)); done
for child in $pid $children; do kill -KILL "$child" 2>/dev/null; done
rm -rf "$room"
"#;

/// The keeper of one running server process.
#[derive(Debug)]
pub(super) struct Keeper(Child);

impl Keeper {
    /// Starts to keep the process `pid`, whose directory is `room`; `signal` asks it to end.
    pub(super) fn start(pid: u32, signal: &str, room: &Path) -> Result<Self> {
        Command::new("sh")
            .args(["-c", SCRIPT, "keeper", &pid.to_string(), signal])
            .arg(room)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A Ctrl-C in the terminal reaches the whole group: the keeper must outlive it.
            .process_group(0)
            .spawn()
            .map(Self)
            .context("starting the keeper of a server")
    }
}

#[cfg(test)]
impl Keeper {
    /// Closes the pipe without a word, as the kernel does when a process is killed.
    pub(super) fn forsake(mut self) {
        drop(self.0.stdin.take());
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The server has ended already: one word tells the keeper not to kill a pid that may be
        // another's by now.
        if let Some(mut pipe) = self.0.stdin.take() {
            let _ = pipe.write_all(b"ended\n");
        }
        let _ = self.0.wait();
    }
}
