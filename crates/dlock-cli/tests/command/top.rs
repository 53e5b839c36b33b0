//! `dlock top`, on a terminal.

use crate::engines::kinds;
use crate::fixture::{dlock, name, run, shared, start, through, until_marked};
use crate::terminal::Terminal;
use dlock_testkit::proxy::Proxy;
use rustix::process::Signal;
use std::net::ToSocketAddrs;

fn top(url: &str, options: &[&str]) -> Terminal {
    let arguments = [&["top", "--interval", "0.2"][..], options].concat();
    Terminal::start(dlock(url, &arguments), 120, 12)
}

#[test]
fn holders_and_waiters_come_and_go_on_each() {
    for kind in kinds() {
        let (key, mark) = (name("top"), name("top"));
        // Only this test's: the server is others' too.
        let mut top = top(kind.url, &["--filter", &key]);
        top.until(|screen| screen.contains("KEY▼") && screen.contains("q quit"));
        let known = kind.key(&key);
        // The heading has the filter.
        let has = |screen: &str| screen.lines().skip(1).any(|line| line.contains(&known));
        let mut holder = start(run(kind.url, &key, &[], &mark, "exec sleep 1000"));
        until_marked(&mark, 1);
        top.until(|screen| has(screen) && screen.contains("holds"));
        let waiter = start(run(kind.url, &key, &[], "", "exec sleep 1000"));
        if kind.tells_waiters {
            top.until(|screen| screen.contains("waits"));
        }
        drop(waiter);
        holder.signal(Signal::TERM);
        assert_eq!(holder.status(), 143);
        top.until(|screen| !has(screen));
        top.types("q");
        assert_eq!(top.status(), 0);
        top.is_as_before();
    }
}

#[test]
fn a_session_is_ended_after_a_question() {
    let (key, mark) = (name("free"), name("free"));
    let mut holder = start(run(shared(), &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let mut top = top(shared(), &[]);
    top.types("/");
    top.until(|screen| screen.contains("filter: _"));
    top.types(&key);
    top.types("\r");
    top.until(|screen| screen.contains("holds") && screen.contains("only free"));
    top.types("f");
    top.until(|screen| screen.contains("end session") && screen.contains("[y/N]"));
    top.types("n");
    top.until(|screen| screen.contains("nothing was ended"));
    top.types("f");
    top.until(|screen| screen.contains("[y/N]"));
    top.types("y");
    top.until(|screen| screen.contains("ended, with one hold or wait"));
    assert_eq!(holder.status(), 74);
    top.types("q");
    assert_eq!(top.status(), 0);
    top.is_as_before();
}

#[test]
fn the_terminal_is_left_as_it_was_found() {
    for (signal, status) in
        [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129), (Signal::QUIT, 131)]
    {
        let mut top = top(shared(), &[]);
        top.until(|screen| screen.contains("q quit"));
        top.signal(signal);
        assert_eq!(top.status(), status);
        top.is_as_before();
    }
    // What the keyboard says of Ctrl-C and Ctrl-D.
    for key in ["\u{3}", "\u{4}", "q"] {
        let mut top = top(shared(), &[]);
        top.until(|screen| screen.contains("q quit"));
        top.types(key);
        assert_eq!(top.status(), 0);
        top.is_as_before();
    }
}

/// A shell that lets it stop and go on, as people's shells do.
#[test]
fn it_stops_and_goes_on() {
    let mut command = std::process::Command::new("bash");
    let dlock = dlock(shared(), &["top"]);
    command.args([
        "-mc",
        "\"$@\"; stty -a | tr -d '\\n'; echo STOPPED; read; fg >/dev/null",
        "bash",
    ]);
    command.arg(dlock.get_program()).args(dlock.get_args()).env("DLOCK_URL", shared());
    let mut top = Terminal::start(command, 120, 24);
    top.until(|screen| screen.contains("q quit"));
    top.types("\u{1a}");
    top.until(|screen| screen.contains("STOPPED"));
    assert!(!top.screen().contains("q quit"), "{}", top.screen());
    assert!(top.screen().contains(" icanon") && top.screen().contains(" echo "));
    top.types("\n");
    top.until(|screen| screen.contains("q quit"));
    top.types("q");
    assert_eq!(top.status(), 0);
    top.is_as_before();
}

#[test]
fn a_server_that_goes_away_is_told_and_looked_for() {
    let address = shared().split_once('@').unwrap().1.split_once('/').unwrap().0;
    let proxy = Proxy::start(address.to_socket_addrs().unwrap().next().unwrap()).unwrap();
    let mut top = top(&through(shared(), proxy.addr()), &[]);
    top.until(|screen| screen.contains("q quit"));
    proxy.refuse();
    proxy.cut();
    top.until(|screen| !screen.contains("q quit"));
    assert!(top.screen().contains("KEY"), "{}", top.screen());
    proxy.resume();
    top.until(|screen| screen.contains("q quit"));
    top.types("q");
    assert_eq!(top.status(), 0);
}

#[test]
fn what_cannot_be_shown_is_said_before_the_terminal_is_touched() {
    let mut top = Terminal::start(dlock("postgres://app:word@127.0.0.1:1/app", &["top"]), 200, 12);
    assert_eq!(top.status(), 69);
    assert!(top.screen().starts_with("dlock: no session could be opened"), "{}", top.screen());
    top.is_as_before();
}

/// A password is not on it.
#[test]
fn the_server_is_named_without_its_password() {
    let url = shared().replacen('@', ":s3cretword@", 1);
    let mut top = top(&url, &[]);
    top.until(|screen| screen.contains("q quit") && screen.contains("postgres:***@127.0.0.1"));
    assert!(!top.screen().contains("s3cretword"));
    top.types("q");
    assert_eq!(top.status(), 0);
}
