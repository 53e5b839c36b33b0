//! The lock is lost, or nearly.

use crate::fixture::{
    Running, marked, ms, name, nobody_is_left_when_the_key_is_free, run, shared, start, through,
    until_marked,
};
use dlock_postgres::{Key, Number};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::{Engine, PostgreSql, Postgres};
use std::net::{SocketAddr, ToSocketAddrs};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Config, NoTls};

const STUBBORN: &str =
    "trap '' TERM; setsid sh -c 'while :; do sleep 1; done' & while :; do sleep 1; done";

/// Asks the server by a connection of its own.
fn ask<T>(url: &str, question: impl AsyncFnOnce(Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = url.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        question(client).await
    })
}

/// The backend that holds the key.
fn backend(url: &str, key: &str) -> i32 {
    let key = Key::from(key);
    let Number::Single(number) = key.number() else { panic!("one number") };
    let text = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
        AND (classid::int8 << 32) | objid::int8 = $1";
    ask(url, async |client| client.query_one(text, &[&number]).await.unwrap().get(0))
}

fn address(url: &str) -> SocketAddr {
    let (_, rest) = url.split_once('@').unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    host.to_socket_addrs().unwrap().next().unwrap()
}

fn held(url: &str, options: &[&str], script: &str) -> (String, String, Running) {
    let (key, mark) = (name("loss"), name("loss"));
    let dlock = start(run(url, &key, options, &mark, script));
    until_marked(&mark, 1);
    (key, mark, dlock)
}

#[test]
fn a_killed_session_ends_the_command() {
    let (key, mark, mut dlock) = held(shared(), &["--kill-after", "0.5"], STUBBORN);
    let pid = backend(shared(), &key);
    let text = "SELECT pg_terminate_backend($1)";
    ask(shared(), async |client| client.query_one(text, &[&pid]).await.unwrap());
    let began = Instant::now();
    assert_eq!((dlock.status(), marked(&mark)), (74, Vec::new()));
    // The key was free first: this is the window, `--kill-after` and a little.
    assert!(began.elapsed() < ms(1500), "{:?}", began.elapsed());
}

#[test]
fn a_command_that_listens_is_gone_at_once() {
    let (key, mark, mut dlock) = held(shared(), &[], "exec sleep 1000");
    let pid = backend(shared(), &key);
    let text = "SELECT pg_terminate_backend($1)";
    ask(shared(), async |client| client.query_one(text, &[&pid]).await.unwrap());
    let began = Instant::now();
    assert_eq!((dlock.status(), marked(&mark)), (74, Vec::new()));
    assert!(began.elapsed() < ms(1000), "{:?}", began.elapsed());
}

#[test]
fn a_server_that_restarts_ends_the_command() {
    let server = PostgreSql::start(&[]).unwrap();
    let (key, mark, mut dlock) = held(server.url(), &["--kill-after", "0.2"], STUBBORN);
    server.restart().unwrap();
    assert_eq!((dlock.status(), marked(&mark)), (74, Vec::new()));
    nobody_is_left_when_the_key_is_free(server.url(), &key, &mark);
}

#[test]
fn a_connection_that_is_cut_ends_the_command() {
    let proxy = Proxy::start(address(shared())).unwrap();
    let url = through(shared(), proxy.addr());
    let (_, mark, mut dlock) = held(&url, &["--kill-after", "0.5"], STUBBORN);
    let began = Instant::now();
    proxy.cut();
    assert_eq!((dlock.status(), marked(&mark)), (74, Vec::new()));
    assert!(began.elapsed() < ms(1500), "{:?}", began.elapsed());
}

#[test]
fn silence_ends_the_command_before_the_key_is_free() {
    let proxy = Proxy::start(address(shared())).unwrap();
    let url = through(shared(), proxy.addr());
    let (key, mark, mut dlock) = held(&url, &["--lease", "3s"], STUBBORN);
    proxy.blackhole();
    nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
    assert_eq!(dlock.status(), 74);
}

#[test]
fn a_frozen_server_ends_the_command_before_the_key_is_free() {
    let server: Postgres = PostgreSql::start(&[]).unwrap();
    let (key, mark, mut dlock) = held(server.url(), &["--lease", "3s"], STUBBORN);
    let pid = u32::try_from(backend(server.url(), &key)).unwrap();
    server.pause_backend(pid).unwrap();
    assert_eq!((dlock.status(), marked(&mark)), (74, Vec::new()));
    server.continue_backend(pid).unwrap();
    nobody_is_left_when_the_key_is_free(server.url(), &key, &mark);
}

#[test]
fn hiccups_of_a_second_end_nothing() {
    let proxy = Proxy::start(address(shared())).unwrap();
    let url = through(shared(), proxy.addr());
    let (_, _, mut dlock) = held(&url, &[], "exec sleep 12");
    for _ in 0..6 {
        proxy.stall();
        sleep(Duration::from_secs(1));
        proxy.resume();
        sleep(ms(700));
    }
    assert_eq!(dlock.status(), 0);
}

#[test]
fn a_command_that_takes_longer_than_the_lease_is_let_be() {
    let (_, _, mut dlock) = held(shared(), &["--lease", "3s"], "exec sleep 7");
    assert_eq!(dlock.status(), 0);
}
