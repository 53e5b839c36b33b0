//! Two of them never run at a time, whatever ends the first.

use crate::fixture::{name, output, run, shared, start};
use std::fs;
use std::process::Command;

/// Enters by a directory that must not be there, as only one can make it.
fn section(dir: &str) -> String {
    format!("mkdir {dir}/in || exit 99; echo x >> {dir}/log; sleep 0.01; rmdir {dir}/in")
}

#[test]
fn many_processes_take_turns() {
    let (key, dir) = (name("turns"), tempfile::tempdir().unwrap());
    let script = section(dir.path().to_str().unwrap());
    let start = |_| start(run(shared(), &key, &[], "", &script));
    let mut running = Vec::from_iter((0..12).map(start));
    for one in &mut running {
        assert_eq!(one.status(), 0);
    }
    assert_eq!(fs::read_to_string(dir.path().join("log")).unwrap().lines().count(), 12);
}

/// What a script says and exits with is the same under flock(1).
#[test]
fn scripts_see_no_difference_from_flock() {
    let (key, file) = (name("flock"), tempfile::NamedTempFile::new().unwrap());
    let path = file.path().to_str().unwrap();
    for script in [
        "echo out; echo err >&2; exit 5",
        "cat; exit 0",
        "trap 'echo caught; exit 3' USR1; kill -USR1 $$",
        "printf '%s|' \"$0\" \"$@\"; exit 1",
        "ulimit -n; umask; pwd",
        "trap '' TERM; exec sh -c 'grep SigIgn /proc/self/status; grep SigBlk /proc/self/status'",
    ] {
        let mut theirs = Command::new("flock");
        theirs.args([path, "sh", "-c", script]).stdin(std::process::Stdio::null());
        assert_eq!(output(run_plain(&key, script)), output(theirs), "{script}");
    }
}

fn run_plain(key: &str, script: &str) -> Command {
    crate::fixture::dlock(shared(), &["run", key, "--", "sh", "-c", script])
}

/// `flock -n`, `-w` and `-E` have the same names and meanings.
#[test]
fn options_have_the_names_of_flock() {
    let (key, mark) = (name("options"), name("options"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    let _ours = start(run(shared(), &key, &[], &mark, "exec sleep 1000"));
    let mut holder = Command::new("flock");
    let _theirs = start({
        holder.args(["-F", path, "env", &format!("DLOCK_TEST_MARK={mark}"), "sleep", "1000"]);
        holder
    });
    crate::fixture::until_marked(&mark, 2);
    for options in [&["-n", "-E", "7"][..], &["-w", "0.2", "-E", "0"], &["-s", "-n", "-E", "8"]] {
        let mut theirs = Command::new("flock");
        theirs.args(options).args([path, "true"]);
        let ours = run(shared(), &key, options, "", "true");
        assert_eq!(output(ours).0, output(theirs).0, "{options:?}");
    }
}
