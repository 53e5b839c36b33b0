//! Signals to the command, to `dlock` and to its guardian.

use crate::fixture::{
    Running, marked, ms, name, nobody_is_left_when_the_key_is_free, output, run, shared, start,
    until, until_marked,
};
use rustix::process::{Signal, kill_process};
use std::process::Command;
use std::time::Instant;

/// Processes that ignore what asks them to end, some in sessions of their own.
const STUBBORN: &str = "trap '' TERM INT HUP; setsid sh -c 'while :; do sleep 1; done' & \
    sh -c 'while :; do sleep 1; done' & while :; do sleep 1; done";

struct Scene {
    key: String,
    mark: String,
    dlock: Running,
}

fn scene(options: &[&str], script: &str, processes: usize) -> Scene {
    let (key, mark) = (name("signal"), name("signal"));
    let dlock = start(run(shared(), &key, options, &mark, script));
    until_marked(&mark, processes);
    Scene { key, mark, dlock }
}

impl Scene {
    fn nobody_is_left(&self) {
        nobody_is_left_when_the_key_is_free(shared(), &self.key, &self.mark);
    }
}

#[test]
fn dlock_passes_on_what_asks_it_to_end() {
    for (signal, name, status) in
        [(Signal::TERM, "TERM", 7), (Signal::INT, "INT", 8), (Signal::HUP, "HUP", 9)]
    {
        let script = format!("trap 'exit {status}' {name}; while :; do sleep 0.05; done");
        let mut scene = scene(&[], &script, 2);
        scene.dlock.signal(signal);
        assert_eq!(scene.dlock.status(), status);
        scene.nobody_is_left();
    }
}

#[test]
fn a_command_that_does_not_listen_is_killed() {
    let mut scene = scene(&["--kill-after", "0.5"], STUBBORN, 6);
    let began = Instant::now();
    scene.dlock.signal(Signal::TERM);
    scene.nobody_is_left();
    assert!(began.elapsed() >= ms(500));
    assert_eq!(scene.dlock.status(), 137);
}

#[test]
fn a_command_that_is_stopped_ends() {
    let mut scene = scene(&["--kill-after", "30"], "exec sleep 1000", 1);
    for pid in marked(&scene.mark) {
        kill_process(pid, Signal::STOP).unwrap();
    }
    scene.dlock.signal(Signal::TERM);
    scene.nobody_is_left();
    assert_eq!(scene.dlock.status(), 143);
}

#[test]
fn dlock_that_waits_leaves_when_asked_to() {
    let holder = scene(&[], "exec sleep 1000", 1);
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mark = name("waiter");
        let mut waiter = start(run(shared(), &holder.key, &[], &mark, "exec sleep 1000"));
        let sockets = || {
            let links = std::fs::read_dir(format!("/proc/{}/fd", waiter.pid().as_raw_nonzero()));
            let links = links.ok()?.flatten().filter_map(|it| std::fs::read_link(it.path()).ok());
            let sockets = links.filter(|it| it.to_string_lossy().starts_with("socket:")).count();
            // Two for the runtime's own signals, and a session.
            (sockets >= 3).then_some(())
        };
        until("a session", sockets);
        waiter.signal(signal);
        assert_eq!((waiter.status(), marked(&mark)), (status, Vec::new()));
    }
}

#[test]
fn dlock_that_is_killed_takes_the_command_with_it() {
    let mut scene = scene(&["--kill-after", "1"], STUBBORN, 6);
    scene.dlock.signal(Signal::KILL);
    scene.nobody_is_left();
    assert_eq!(scene.dlock.status(), 137);
}

#[test]
fn dlock_that_is_stopped_loses_the_lock_and_the_command() {
    let mut scene = scene(&["--lease", "3s"], STUBBORN, 6);
    scene.dlock.signal(Signal::STOP);
    scene.nobody_is_left();
    scene.dlock.signal(Signal::CONT);
    assert_eq!(scene.dlock.status(), 74);
}

#[test]
fn a_guardian_that_is_killed_takes_the_command_with_it() {
    let mut scene = scene(&[], STUBBORN, 6);
    kill_process(scene.dlock.guardian(), Signal::KILL).unwrap();
    scene.nobody_is_left();
    assert_eq!(scene.dlock.status(), 137);
}

#[test]
fn a_guardian_that_is_asked_to_end_asks_the_command() {
    let mut scene = scene(&[], "trap 'exit 5' TERM; while :; do sleep 0.05; done", 2);
    kill_process(scene.dlock.guardian(), Signal::TERM).unwrap();
    scene.nobody_is_left();
    assert_eq!(scene.dlock.status(), 5);
}

#[test]
fn what_was_ignored_before_stays_so() {
    let (key, mark) = (name("nohup"), name("nohup"));
    let script = "grep SigIgn /proc/self/status; exec sleep 1000";
    let inner = run(shared(), &key, &[], &mark, script);
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(inner.get_program());
    command.args(inner.get_args()).env("DLOCK_URL", shared()).stdout(std::process::Stdio::null());
    let mut dlock = start(command);
    until_marked(&mark, 1);
    dlock.signal(Signal::HUP);
    assert_eq!(output(run(shared(), &key, &["-n"], "", "true")).0, 75);
    dlock.signal(Signal::TERM);
    assert_eq!(dlock.status(), 143);
}

#[test]
fn children_from_before_are_left_alone() {
    let (key, mark) = (name("before"), name("before"));
    let inner = run(shared(), &key, &[], &mark, "exec sleep 1000");
    let older = name("older");
    let mut command = Command::new("sh");
    let script = format!("DLOCK_TEST_MARK={older} sleep 1000 & exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args());
    command.env("DLOCK_URL", shared());
    let mut dlock = start(command);
    until_marked(&mark, 1);
    let [child] = until_marked(&older, 1)[..] else { panic!("one process") };
    let guardian = until("a guardian", || {
        let mut children = crate::fixture::children(dlock.pid());
        children.retain(|it| *it != child);
        children.first().copied()
    });
    kill_process(guardian, Signal::KILL).unwrap();
    assert_eq!((dlock.status(), marked(&mark)), (137, Vec::new()));
    assert_eq!(marked(&older), [child]);
    kill_process(child, Signal::KILL).unwrap();
}
