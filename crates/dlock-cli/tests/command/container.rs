//! `dlock` as the first process of a container, whose heir it is.

use crate::fixture::{
    Running, children, name, nobody_is_left_when_the_key_is_free, output, run, shared, start,
    until, until_marked,
};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Command;

/// A namespace of processes, by unshare(1), with a user's of its own where only root may have the former.
fn unshare() -> Option<Command> {
    let ways: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    let command = |way: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(way).args(["--pid", "--fork", "--mount-proc", "--kill-child"]);
        command
    };
    let is_allowed = |way: &&&[&str]| {
        let mut tried = command(way);
        tried.arg("true").output().is_ok_and(|output| output.status.success())
    };
    ways.iter().find(is_allowed).map(|way| command(way))
}

/// `dlock run` as its first process.
fn contained(key: &str, options: &[&str], mark: &str, script: &str) -> Option<Command> {
    let Some(mut command) = unshare() else {
        println!("not run: this system lets nobody make a namespace of processes");
        return None;
    };
    let inner = run(shared(), key, options, mark, script);
    command.arg(inner.get_program()).args(inner.get_args()).env("DLOCK_URL", shared());
    command.stdin(std::process::Stdio::null()).env_remove("DATABASE_URL");
    Some(command)
}

/// The first process inside: the child of unshare(1).
fn first(unshare: &Running) -> Pid {
    until("a process", || children(unshare.pid()).first().copied())
}

#[test]
fn the_first_process_waits_for_its_orphans() {
    let key = name("orphans");
    let script = "for i in 1 2 3 4 5; do (setsid sh -c 'sleep 0.1' &); done; sleep 0.5; echo $PPID; \
        grep -l '^State:.Z' /proc/[0-9]*/status | wc -l; exit 5";
    let Some(command) = contained(&key, &["--leftovers", "wait"], "", script) else { return };
    let (status, shown, said) = output(command);
    assert_eq!((status, said.as_str()), (5, ""));
    assert_eq!(shown.lines().nth(1), Some("0"), "{shown}");
}

#[test]
fn the_first_process_passes_signals_on() {
    for (signal, name_of, status) in [(Signal::TERM, "TERM", 7), (Signal::INT, "INT", 8)] {
        let (key, mark) = (name("first"), name("first"));
        let script = format!("trap 'exit {status}' {name_of}; while :; do sleep 0.05; done");
        let Some(command) = contained(&key, &[], &mark, &script) else { return };
        let mut unshare = start(command);
        until_marked(&mark, 1);
        kill_process(first(&unshare), signal).unwrap();
        assert_eq!(unshare.status(), status);
        nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
    }
}

#[test]
fn the_first_process_that_is_killed_takes_all_with_it() {
    let (key, mark) = (name("killed"), name("killed"));
    let script = "trap '' TERM; setsid sleep 1000 & while :; do sleep 1; done";
    let Some(command) = contained(&key, &[], &mark, script) else { return };
    let unshare = start(command);
    until_marked(&mark, 3);
    kill_process(first(&unshare), Signal::KILL).unwrap();
    nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
}
