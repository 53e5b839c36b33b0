//! The last stage before the command: it becomes it.

use crate::status::{self, CANNOT_RUN, NOT_FOUND};
use rustix::process::{Pid, getpid, getppid, setpgid};
use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The name that this stage is called by.
pub(crate) const NAME: &str = "launch";

/// The arguments before the command's own: the group to join, the guardian.
pub(crate) fn arguments(group: Option<Pid>) -> [String; 3] {
    let group = group.map_or(0, |group| group.as_raw_nonzero().get());
    [NAME.to_owned(), group.to_string(), getpid().as_raw_nonzero().to_string()]
}

/// Becomes the command. It returns where that cannot be.
pub(crate) fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let (group, guardian) = (number(arguments.next()), number(arguments.next()));
    let (Some(group), Some(guardian), Some(program)) = (group, guardian, arguments.next()) else {
        status::say("`launch` is for dlock itself: use `dlock run`");
        return ExitCode::from(status::USAGE);
    };
    if let Some(group) = Pid::from_raw(group) {
        // Where the group has gone, so has the terminal's interest in it.
        let _ = setpgid(None, Some(group));
    }
    die_with_parent();
    // The guardian may have gone before it was asked for.
    if getppid() != Pid::from_raw(guardian) {
        return ExitCode::FAILURE;
    }
    let error = Command::new(&program).args(arguments).exec();
    failed(&program, &error)
}

fn number(argument: Option<OsString>) -> Option<i32> {
    argument?.to_str()?.parse().ok()
}

/// Nobody waits for the command once its guardian was killed.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        let signal = Some(rustix::process::Signal::KILL);
        let _ = rustix::process::set_parent_process_death_signal(signal);
    }
}

/// The statuses of a shell:
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>.
fn failed(program: &OsStr, error: &Error) -> ExitCode {
    let program = program.to_string_lossy();
    if error.kind() == ErrorKind::NotFound {
        status::say(&format!("`{program}` was not found, so there is nothing to run"));
        return ExitCode::from(NOT_FOUND);
    }
    status::say(&format!("`{program}` cannot be run: {}", status::of_system(error)));
    ExitCode::from(CANNOT_RUN)
}
