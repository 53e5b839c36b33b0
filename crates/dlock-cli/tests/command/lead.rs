//! `dlock lead`.

use crate::engines::{Kind, kinds};
use crate::fixture::{
    Running, dlock, marked, ms, name, output, shared, start, text, through, until, until_marked,
};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::{Engine, PostgreSql};
use rustix::process::Signal;
use std::fs;
use std::net::ToSocketAddrs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

fn lead(url: &str, key: &str, options: &[&str], mark: &str, script: &str) -> Command {
    let mark = format!("DLOCK_TEST_MARK={mark}");
    let mut arguments = vec!["lead", key];
    arguments.extend(options);
    arguments.extend(["--", "env", &mark, "sh", "-c", script]);
    dlock(url, &arguments)
}

struct Pair {
    key: String,
    leader: Running,
    follower: Running,
    /// What the second one's command bears.
    next: String,
}

/// One that leads, and one that waits in the server's queue.
fn pair(kind: Kind, script: &str) -> Pair {
    let (key, mark, next) = (name("lead"), name("first"), name("next"));
    let leader = start(lead(kind.url, &key, &[], &mark, script));
    until_marked(&mark, 1);
    let follower = start(lead(kind.url, &key, &[], &next, "exec sleep 1000"));
    match kind.tells_waiters {
        true => drop(kind.rows(&key, 2)),
        false => sleep(ms(700)),
    }
    assert!(marked(&next).is_empty());
    Pair { key, leader, follower, next }
}

/// How long until the other one's command runs, after this.
fn take_over(pair: &Pair, end: impl FnOnce(&Pair)) -> Duration {
    let began = Instant::now();
    end(pair);
    until_marked(&pair.next, 1);
    began.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    println!("take-over: {times:?}");
    times[times.len() / 2]
}

/// The time has three processes in it that are started, and one that ends.
#[test]
fn a_leader_that_is_killed_is_followed_at_once() {
    let kind = kinds()[0];
    let times = (0..5).map(|_| {
        let pair = pair(kind, "exec sleep 1000");
        take_over(&pair, |pair| pair.leader.signal(Signal::KILL))
    });
    assert!(median(times.collect()) < ms(500));
}

#[test]
fn a_leader_that_is_asked_to_end_hands_over_at_once() {
    let kind = kinds()[0];
    let times = (0..5).map(|_| {
        let mut pair = pair(kind, "exec sleep 1000");
        let time = take_over(&pair, |pair| pair.leader.signal(Signal::TERM));
        assert_eq!(pair.leader.status(), 143);
        time
    });
    assert!(median(times.collect()) < ms(500));
}

#[test]
fn leaders_follow_one_another_on_each() {
    for kind in &kinds()[1..] {
        let mut pair = pair(*kind, "exec sleep 1000");
        take_over(&pair, |pair| pair.leader.signal(Signal::TERM));
        assert_eq!(pair.leader.status(), 143);
        pair.follower.signal(Signal::TERM);
        assert_eq!(pair.follower.status(), 143);
        assert_eq!(kind.json(&["who", &pair.key]), (1, Vec::new()));
    }
}

fn proxy() -> Proxy {
    let address = shared().split_once('@').unwrap().1.split_once('/').unwrap().0;
    Proxy::start(address.to_socket_addrs().unwrap().next().unwrap()).unwrap()
}

/// It waits in the server's queue on the sessions that it has, however long that takes.
#[test]
fn one_that_waits_opens_no_sessions() {
    let (kind, proxy) = (kinds()[0], proxy());
    let (key, mark, next) = (name("waits"), name("waits"), name("waits"));
    let leader = start(lead(kind.url, &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let url = through(kind.url, proxy.addr());
    let _follower = start(lead(&url, &key, &[], &next, "exec sleep 1000"));
    kind.rows(&key, 2);
    // One that serves, one that waits, and one that looked whether a pooler is in between.
    let connections = proxy.connections();
    sleep(ms(2500));
    kind.rows(&key, 2);
    leader.signal(Signal::TERM);
    until_marked(&next, 1);
    assert_eq!(proxy.connections(), connections);
}

/// Its sessions are the same through all its terms.
#[test]
fn terms_open_no_sessions() {
    let proxy = proxy();
    let url = through(shared(), proxy.addr());
    let (key, dir) = (name("terms"), tempfile::tempdir().unwrap());
    let script = format!("echo x >> {}/log", dir.path().display());
    let _leader = start(lead(&url, &key, &["--again"], "", &script));
    lines(dir.path(), 2);
    let connections = proxy.connections();
    lines(dir.path(), 4);
    assert_eq!(proxy.connections(), connections);
}

/// When each of so many lines has been written.
fn lines(dir: &Path, count: usize) -> Instant {
    until("as many terms", || {
        let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
        (log.lines().count() >= count).then(Instant::now)
    })
}

#[test]
fn the_end_of_the_command_is_the_end() {
    let key = name("end");
    for (script, status) in [("exit 0", 0), ("exit 4", 4), ("kill -KILL $$", 137)] {
        let (got, _, said) = output(lead(shared(), &key, &[], "", script));
        assert_eq!((got, said.as_str()), (status, ""));
    }
    assert_eq!(output(dlock(shared(), &["run", &key, "-n", "--", "true"])).0, 0);
}

#[test]
fn a_term_that_ends_is_followed_by_another() {
    let (key, dir) = (name("again"), tempfile::tempdir().unwrap());
    let script = format!("echo x >> {}/log; exit 3", dir.path().display());
    let mut leader = start(lead(shared(), &key, &["--again"], "", &script));
    let first = lines(dir.path(), 1);
    let third = lines(dir.path(), 3);
    // One that ends at once is not started again at once.
    assert!(third - first >= ms(1800), "{:?}", third - first);
    leader.signal(Signal::TERM);
    assert!([3, 143].contains(&leader.status()));
}

#[test]
fn others_have_their_turn_between_terms() {
    let (key, dir) = (name("turns"), tempfile::tempdir().unwrap());
    let script = |who: &str| format!("echo {who} >> {}/log; sleep 1.1", dir.path().display());
    let _leaders =
        ["one", "two"].map(|it| start(lead(shared(), &key, &["--again"], "", &script(it))));
    lines(dir.path(), 5);
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    for who in ["one", "two"] {
        assert!(log.lines().filter(|line| *line == who).count() >= 2, "{log}");
    }
}

/// Signals are for the end, with `--again` too.
#[test]
fn a_leader_that_is_asked_to_end_does_not_compete_again() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let (key, mark) = (name("ends"), name("ends"));
        let mut leader = start(lead(shared(), &key, &["--again"], &mark, "exec sleep 1000"));
        until_marked(&mark, 1);
        let began = Instant::now();
        leader.signal(signal);
        assert_eq!((leader.status(), marked(&mark)), (status, Vec::new()));
        assert!(began.elapsed() < ms(1000), "{:?}", began.elapsed());
    }
}

#[test]
fn one_that_competes_leaves_when_asked_to() {
    let pair = &mut pair(kinds()[0], "exec sleep 1000");
    let began = Instant::now();
    pair.follower.signal(Signal::TERM);
    assert_eq!(pair.follower.status(), 143);
    assert!(began.elapsed() < ms(1000), "{:?}", began.elapsed());
}

#[test]
fn a_loss_is_told_and_it_competes_again() {
    let kind = kinds()[0];
    let (key, mark, dir) = (name("lost"), name("lost"), tempfile::tempdir().unwrap());
    let script = format!("echo x >> {}/log; exec sleep 1000", dir.path().display());
    let mut command = lead(kind.url, &key, &[], &mark, &script);
    let leader = command.stderr(Stdio::piped()).spawn().unwrap();
    lines(dir.path(), 1);
    let began = Instant::now();
    assert_eq!(output(dlock(kind.url, &["free", &key, "--yes"])).0, 0);
    let took = lines(dir.path(), 2) - began;
    println!("lost, told and led again: {took:?}");
    assert!(took < ms(1500), "{took:?}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&leader), Signal::TERM).unwrap();
    let output = leader.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(said.matches('\n').count(), 1, "{said}");
    assert!(said.starts_with("dlock: the lock on") && said.contains("was lost"), "{said}");
}

#[test]
fn a_server_that_is_away_for_a_while_is_waited_for() {
    let server = PostgreSql::start(&[]).unwrap();
    let (key, dir) = (name("away"), tempfile::tempdir().unwrap());
    let script = format!("echo x >> {}/log; exec sleep 1000", dir.path().display());
    let mut leader = start(lead(server.url(), &key, &[], "", &script));
    lines(dir.path(), 1);
    server.stop().unwrap();
    sleep(Duration::from_secs(2));
    server.restart().unwrap();
    lines(dir.path(), 2);
    leader.signal(Signal::TERM);
    assert_eq!(leader.status(), 143);
}

#[test]
fn tokens_rise_from_term_to_term() {
    let server = PostgreSql::start(&[]).unwrap();
    assert_eq!(output(dlock(server.url(), &["setup"])).0, 0);
    let (key, dir) = (name("fenced"), tempfile::tempdir().unwrap());
    let script = format!("echo $DLOCK_TOKEN >> {}/log", dir.path().display());
    let _leader = start(lead(server.url(), &key, &["--fenced", "--again"], "", &script));
    lines(dir.path(), 3);
    let log = fs::read_to_string(dir.path().join("log")).unwrap();
    let tokens = Vec::from_iter(log.lines().map(|line| line.parse::<u64>().unwrap()));
    assert!(tokens.windows(2).all(|pair| pair[0] < pair[1]), "{tokens:?}");
}
