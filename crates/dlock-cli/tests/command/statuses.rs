//! What `dlock run` exits with and says, and what the command is given.

use crate::fixture::{dlock, ms, name, output, run, shared, start, until_marked};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Instant;

const SECRET: &str = "s3cret%21word";
const CLEAR: &str = "s3cret!word";

fn of(script: &str) -> i32 {
    output(run(shared(), &name("status"), &[], "", script)).0
}

/// One sentence, and no password.
fn is_a_sentence(said: &str) {
    assert!(said.starts_with("dlock: ") && said.len() > 20, "{said:?}");
    assert_eq!(said.matches('\n').count(), 1, "{said:?}");
    assert!(!said.contains(SECRET) && !said.contains(CLEAR), "{said:?}");
}

fn refused(command: Command, status: i32) -> String {
    let (got, shown, said) = output(command);
    assert_eq!((got, shown.as_str()), (status, ""), "{said}");
    is_a_sentence(&said);
    said
}

#[test]
fn the_commands_own_is_passed_on() {
    assert_eq!(of("exit 0"), 0);
    assert_eq!(of("exit 3"), 3);
    assert_eq!(of("exit 255"), 255);
}

#[test]
fn a_signal_is_128_and_its_number() {
    assert_eq!(of("kill -TERM $$"), 143);
    assert_eq!(of("kill -KILL $$"), 137);
    assert_eq!(of("kill -SEGV $$"), 139);
}

#[test]
fn one_that_is_not_there_is_127_and_one_that_is_no_program_126() {
    let key = name("none");
    let said = refused(dlock(shared(), &["run", &key, "--", "no-such-command"]), 127);
    assert!(said.contains("no-such-command"), "{said}");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let path = file.path().to_str().unwrap();
    assert!(
        refused(dlock(shared(), &["run", &key, "--", path]), 126).contains("permission denied")
    );
    refused(dlock(shared(), &["run", &key, "--", "/"]), 126);
    // Nothing is held afterwards.
    assert_eq!(output(dlock(shared(), &["run", &key, "--no-wait", "--", "true"])).0, 0);
}

#[test]
fn a_busy_key_is_75_or_what_is_asked_for() {
    let (key, mark) = (name("busy"), name("busy"));
    let mut holder = start(run(shared(), &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    refused(dlock(shared(), &["run", &key, "--no-wait", "--", "true"]), 75);
    refused(dlock(shared(), &["run", &key, "-E", "9", "-n", "--", "true"]), 9);
    let began = Instant::now();
    let said = refused(dlock(shared(), &["run", &key, "--wait", "0.7", "--", "true"]), 75);
    assert!(began.elapsed() >= ms(700) && said.contains(&key), "{said}");
    holder.signal(rustix::process::Signal::TERM);
    assert_eq!(holder.status(), 143);
    assert_eq!(output(dlock(shared(), &["run", &key, "--no-wait", "--", "true"])).0, 0);
}

#[test]
fn readers_share_and_keep_a_writer_out() {
    let (key, mark) = (name("readers"), name("readers"));
    let _reader = start(run(shared(), &key, &["--shared"], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    assert_eq!(output(dlock(shared(), &["run", &key, "-s", "-n", "--", "true"])).0, 0);
    refused(dlock(shared(), &["run", &key, "-n", "--", "true"]), 75);
}

#[test]
fn no_server_is_69_and_nonsense_64() {
    let nowhere = format!("postgres://app:{SECRET}@127.0.0.1:1/app");
    refused(dlock(&nowhere, &["run", "key", "--", "true"]), 69);
    let other = format!("gopher://app:{SECRET}@127.0.0.1:1/app");
    refused(dlock(&other, &["run", "key", "--", "true"]), 64);
    let broken = format!("postgres://app:{SECRET}@127.0.0.1:port/app");
    refused(dlock(&broken, &["run", "key", "--", "true"]), 64);
    let mut nothing = dlock("", &["run", "key", "--", "true"]);
    nothing.env_remove("DLOCK_URL");
    assert!(refused(nothing, 64).contains("DLOCK_URL"));
    for arguments in [
        &["run"][..],
        &["run", "key"],
        &["run", "key", "--"],
        &["run", "key", "true"],
        &["run", "key", "--wait", "soon", "--", "true"],
        &["run", "key", "--lease", "1s", "--", "true"],
        &["run", "key", "--wait", "1s", "--no-wait", "--", "true"],
        &["run", "key", "--url-file", "/no/such/file", "--", "true"],
        &["run", "key", &nowhere, "--", "true"],
        &["walk"],
        &[],
    ] {
        refused(dlock(shared(), arguments), 64);
    }
}

#[test]
fn the_command_is_given_the_key_and_no_secret() {
    let key = name("environment");
    let url = shared().replacen('@', &format!(":{SECRET}@"), 1);
    let script = "echo $DLOCK_KEY; env; cat /proc/$PPID/environ /proc/$PPID/cmdline";
    let mut command = run(&url, &key, &[], "", script);
    command.env("DATABASE_URL", "theirs").env("DLOCK_TOKEN", "stale");
    let (status, shown, said) = output(command);
    assert_eq!((status, said.as_str()), (0, ""));
    assert_eq!(shown.lines().next(), Some(key.as_str()));
    assert!(shown.contains("DATABASE_URL=theirs"), "{shown}");
    for word in [SECRET, CLEAR, "DLOCK_URL", "DLOCK_TOKEN"] {
        assert!(!shown.contains(word), "{word} is in {shown}");
    }
}

#[test]
fn the_url_may_be_in_a_file_or_an_argument() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "\n{}", shared()).unwrap();
    let path = file.path().to_str().unwrap();
    for arguments in [
        ["run", "--url-file", path, &name("file"), "--", "true"],
        ["run", "--url", shared(), &name("argument"), "--", "true"],
    ] {
        // What is said outright goes before what the environment has.
        assert_eq!(output(dlock("gopher://nowhere", &arguments)).0, 0);
    }
    let mut command = dlock("", &["run", &name("variable"), "--", "true"]);
    command.env_remove("DLOCK_URL").env("DATABASE_URL", shared());
    assert_eq!(output(command).0, 0);
}

#[test]
fn the_command_reads_what_dlock_is_given_to_read() {
    let mut command = run(shared(), &name("input"), &[], "", "cat; echo end >&2");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"some\nlines\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"some\nlines\n"[..], &b"end\n"[..]));
}
