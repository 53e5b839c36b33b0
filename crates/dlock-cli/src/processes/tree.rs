//! The descendants of this process, as `/proc` tells them.

use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, kill_process, pidfd_open, pidfd_send_signal,
};
use std::collections::BTreeSet;
use std::fs;

/// A process. One that has ended and is not waited for yet is one too: its other threads may run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Process {
    id: i32,
    parent: i32,
    group: i32,
}

impl Process {
    /// Reads `/proc/ID/stat`, where a name in parentheses, which may hold anything, stands before the state,
    /// the parent and the group: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>.
    fn parse(stat: &str) -> Option<Self> {
        let id = stat.split(' ').next()?.parse().ok()?;
        let (_, after_name) = stat.rsplit_once(") ")?;
        let mut fields = after_name.split(' ').skip(1);
        let parent = fields.next()?.parse().ok()?;
        Some(Self { id, parent, group: fields.next()?.parse().ok()? })
    }

    fn read(id: i32) -> Option<Self> {
        Self::parse(&String::from_utf8_lossy(&fs::read(format!("/proc/{id}/stat")).ok()?))
    }
}

/// Sends a signal to each descendant of this process that is not in the group.
pub(super) fn signal_descendants(group: Option<Pid>, signal: Signal) {
    let group = group.map(|group| group.as_raw_nonzero().get());
    for process in descendants(getpid().as_raw_nonzero().get(), &all()) {
        if Some(process.group) != group {
            signal_one(process, signal);
        }
    }
}

/// The numbers of all descendants of this process.
pub(super) fn numbers() -> BTreeSet<i32> {
    let own = getpid().as_raw_nonzero().get();
    descendants(own, &all()).into_iter().map(|process| process.id).collect()
}

/// Kills each descendant of this process but these. `false`: there is none.
pub(super) fn kill_all_but(others: &BTreeSet<i32>) -> bool {
    let mut found = descendants(getpid().as_raw_nonzero().get(), &all());
    found.retain(|process| !others.contains(&process.id));
    for process in &found {
        signal_one(*process, Signal::KILL);
    }
    !found.is_empty()
}

/// By a descriptor: the number might be another process's meanwhile.
fn signal_one(process: Process, signal: Signal) {
    let Some(pid) = Pid::from_raw(process.id) else { return };
    let opened = pidfd_open(pid, PidfdFlags::empty());
    let is_it = Process::read(process.id).is_some_and(|now| now.parent == process.parent);
    match opened {
        Ok(pidfd) if is_it => drop(pidfd_send_signal(pidfd, signal)),
        // Before Linux 5.3 there are none.
        Err(rustix::io::Errno::NOSYS) if is_it => drop(kill_process(pid, signal)),
        // Whose parent has ended meanwhile is found by the next look.
        _ => {}
    }
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(Process::read).collect()
}

fn descendants(of: i32, all: &[Process]) -> Vec<Process> {
    let (mut known, mut found) = (BTreeSet::from([of]), Vec::new());
    loop {
        let is_new = |it: &&Process| known.contains(&it.parent) && !known.contains(&it.id);
        let new = Vec::from_iter(all.iter().filter(is_new).copied());
        if new.is_empty() {
            return found;
        }
        known.extend(new.iter().map(|process| process.id));
        found.extend(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let process = Process::parse("12 (a) S 1 (b)) S 3 4 4 0 -1 ");
        assert_eq!(process, Some(Process { id: 12, parent: 3, group: 4 }));
        assert_eq!(Process::parse(""), None);
    }

    #[test]
    fn descendants_are_found_in_any_order_of_numbers() {
        let process = |id, parent| Process { id, parent, group: 0 };
        let all = [process(5, 9), process(2, 1), process(9, 2), process(7, 1), process(8, 6)];
        let found = Vec::from_iter(descendants(2, &all).iter().map(|it| it.id));
        assert_eq!(found, [9, 5]);
        assert!(descendants(5, &all).is_empty());
    }
}
