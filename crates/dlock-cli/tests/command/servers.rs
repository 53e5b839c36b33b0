//! `dlock run` on each kind of server.

use crate::engines::kinds;
use crate::fixture::{
    dlock, ms, name, nobody_is_left_when_the_key_is_free, output, run, start, until_marked,
};
use std::fs;
use std::time::Instant;

#[test]
fn a_busy_key_is_75_on_each() {
    for kind in kinds() {
        let (key, mark) = (name("busy"), name("busy"));
        let mut holder = start(run(kind.url, &key, &[], &mark, "exec sleep 1000"));
        until_marked(&mark, 1);
        let began = Instant::now();
        for options in [&["--no-wait"][..], &["--wait", "0.4"]] {
            let arguments = [&["run", &key][..], options, &["--", "true"]].concat();
            let (status, _, said) = output(dlock(kind.url, &arguments));
            assert_eq!((status, said.matches('\n').count()), (75, 1), "{}: {said}", kind.name);
        }
        assert!(began.elapsed() >= ms(400));
        holder.signal(rustix::process::Signal::TERM);
        assert_eq!(holder.status(), 143);
        assert_eq!(output(dlock(kind.url, &["run", &key, "-n", "--", "true"])).0, 0);
    }
}

#[test]
fn processes_take_turns_on_each() {
    for kind in kinds() {
        let (key, dir) = (name("turns"), tempfile::tempdir().unwrap());
        let path = dir.path().to_str().unwrap();
        let script = format!("mkdir {path}/in || exit 99; echo x >> {path}/log; rmdir {path}/in");
        let mut running =
            Vec::from_iter((0..6).map(|_| start(run(kind.url, &key, &[], "", &script))));
        running.iter_mut().for_each(|one| assert_eq!(one.status(), 0, "{}", kind.name));
        assert_eq!(fs::read_to_string(dir.path().join("log")).unwrap().lines().count(), 6);
    }
}

#[test]
fn so_many_at_a_time_on_each() {
    for kind in kinds() {
        let (key, mark) = (name("permits"), name("permits"));
        let two = || start(run(kind.url, &key, &["-p", "2"], &mark, "exec sleep 1000"));
        let _holders = [two(), two()];
        until_marked(&mark, 2);
        let arguments = ["run", &key, "-p", "2", "-n", "--", "true"];
        assert_eq!(output(dlock(kind.url, &arguments)).0, 75, "{}", kind.name);
    }
}

#[test]
fn dlock_that_is_killed_takes_the_command_with_it_on_each() {
    for kind in kinds() {
        let (key, mark) = (name("killed"), name("killed"));
        let script = "trap '' TERM; setsid sleep 1000 & while :; do sleep 1; done";
        let dlock = start(run(kind.url, &key, &["--kill-after", "0.5"], &mark, script));
        until_marked(&mark, 3);
        dlock.signal(rustix::process::Signal::KILL);
        nobody_is_left_when_the_key_is_free(kind.url, &key, &mark);
    }
}

#[test]
fn what_a_server_has_closed_is_74_on_each() {
    for kind in kinds() {
        let (key, mark) = (name("closed"), name("closed"));
        let mut dlock_run =
            start(run(kind.url, &key, &["--lease", "3s"], &mark, "exec sleep 1000"));
        until_marked(&mark, 1);
        kind.rows(&key, 1);
        let began = Instant::now();
        assert_eq!(output(dlock(kind.url, &["free", &key, "--yes"])).0, 0, "{}", kind.name);
        assert_eq!(dlock_run.status(), 74, "{}", kind.name);
        // A ping tells where nothing else does: every third of the lease.
        assert!(began.elapsed() < ms(2500), "{}: {:?}", kind.name, began.elapsed());
    }
}
