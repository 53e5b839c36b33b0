//! The processes of a command: found, signalled, waited for.

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process_group, wait};
use std::collections::BTreeSet;

#[cfg(target_os = "linux")]
mod tree;

/// Has the orphans among this process's descendants become its children, where the system can do that.
///
/// It makes "no child is left" mean "nothing of the command's is left", also for what called `setsid`:
/// <https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html>.
pub(crate) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    {
        // Since Linux 3.4. Where it fails, the group is all that can be found.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }
}

/// What a child of this process ended with.
pub(crate) struct End {
    pub(crate) pid: Pid,
    pub(crate) status: WaitStatus,
}

/// The next child that has ended, without waiting for one. `Err`: there is no child.
pub(crate) fn next_end() -> Result<Option<End>, NoChild> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => return Ok(Some(End { pid, status })),
            Ok(None) => return Ok(None),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Err(NoChild),
        }
    }
}

/// This process has no child.
#[derive(Debug)]
pub(crate) struct NoChild;

/// Sends a signal to a group, and to each descendant of this process that is not in it. Nobody gets it
/// twice.
pub(crate) fn signal_all(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        // It may have gone.
        let _ = kill_process_group(group, signal);
    }
    #[cfg(target_os = "linux")]
    tree::signal_descendants(group, signal);
}

/// Whether something of the group is there that is no child of this process's, nor becomes one.
pub(crate) fn is_group_left(group: Option<Pid>) -> bool {
    let has_tree = cfg!(target_os = "linux");
    !has_tree && group.is_some_and(|it| rustix::process::test_kill_process_group(it).is_ok())
}

/// The descendants that this process has already when nothing of the command's was started: whoever it was
/// before `exec` may have had some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Others(BTreeSet<i32>);

impl Others {
    pub(crate) fn now() -> Self {
        #[cfg(target_os = "linux")]
        return Self(tree::numbers());
        #[cfg(not(target_os = "linux"))]
        return Self(BTreeSet::new());
    }

    /// Kills the group and all other descendants. `false`: none is left.
    pub(crate) fn kill_new(&self, group: Option<Pid>) -> bool {
        while matches!(next_end(), Ok(Some(_))) {}
        #[cfg(target_os = "linux")]
        let is_left = tree::kill_all_but(&self.0);
        #[cfg(not(target_os = "linux"))]
        let is_left = is_group_left(group);
        if let Some(group) = group.filter(|_| is_left) {
            // It may have gone.
            let _ = kill_process_group(group, Signal::KILL);
        }
        is_left
    }
}
