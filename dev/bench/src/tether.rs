//! What ties a child process to its parent: an input that the parent never writes to. However the
//! parent ends, the input ends with it.

use std::io::{self, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

/// Runs a child that holds on to its tether.
pub(crate) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    // Waiting would close it.
    let tether = child.stdin.take();
    let status = child.wait();
    drop(tether);
    status
}

/// Ends this process when its parent does. The servers that it started see to themselves.
pub(crate) fn hold() {
    thread::spawn(|| {
        wait();
        std::process::exit(1);
    });
}

/// Returns when the parent has ended, or let go.
pub(crate) fn wait() {
    // An input that cannot be read has ended too.
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::run;

    #[test]
    fn a_child_that_ends_by_itself_is_waited_for() {
        let status = run(Command::new("sh").args(["-c", "exit 3"])).expect("a shell");
        assert_eq!(status.code(), Some(3));
    }
}
