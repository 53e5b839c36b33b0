//! `Locks` on a real server: two processes, and what ends their sessions.

mod alone;
mod checks;
mod cockroach;
mod fences;
mod lead;
mod looking;
mod openings;
mod rds;
mod readers;
mod rewriting;
mod worst;

use dlock_core::Wait;
use dlock_locks::{Error, LostReason};
use dlock_postgres::{Key, Lock, Locks};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Postgres;
use dlock_testkit::trial::BUSY;
use std::future::Future;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn config() -> Config {
    let server = Postgres::shared().expect("a PostgreSQL server");
    server.url().parse().expect("a PostgreSQL URL")
}

fn address() -> SocketAddr {
    let config = config();
    let [Host::Tcp(host), ..] = config.get_hosts() else { panic!("a server on TCP") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    (host.as_str(), port).to_socket_addrs().expect("a host").next().expect("an address")
}

/// The same user and database, by way of what listens here.
fn towards(proxy: SocketAddr) -> Config {
    let (config, mut through) = (config(), Config::new());
    through.host(proxy.ip().to_string()).port(proxy.port());
    config.get_user().map(|user| through.user(user));
    config.get_password().map(|password| through.password(password));
    config.get_dbname().map(|name| through.dbname(name));
    through
}

fn locks(config: Config, name: &str) -> Locks {
    let builder = Locks::builder(config).lease(Duration::from_secs(3)).name(name);
    builder.build().expect("a thread")
}

async fn client() -> Client {
    let (client, connection) = config().connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("an end")
}

async fn work(locks: Locks, key: i64, inside: Arc<Vec<AtomicUsize>>) {
    let place = usize::try_from(key % 10).expect("a small number");
    for _ in 0..5 {
        let held = locks.lock(key).await.expect("a lock");
        assert_eq!(inside[place].fetch_add(1, Ordering::SeqCst), 0, "{key} is held twice");
        tokio::task::yield_now().await;
        inside[place].fetch_sub(1, Ordering::SeqCst);
        held.release().await.expect("a release");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_of_two_processes_exclude_each_other() {
    let processes = [locks(config(), "one"), locks(config(), "other")];
    let inside = Arc::new(Vec::from_iter((0..10).map(|_| AtomicUsize::new(0))));
    let mut tasks = JoinSet::new();
    for number in 0..200_usize {
        let key = i64::try_from(number / 2 % 10).expect("a small number") + 71_000;
        tasks.spawn(work(processes[number % 2].clone(), key, Arc::clone(&inside)));
    }
    in_time(tasks.join_all()).await;
    for locks in processes {
        assert_eq!(locks.stats().await.expect("counts").losses, 0);
        in_time(locks.close()).await;
    }
}

/// In each form of key, with a lock over the caller's own session on the other side.
#[tokio::test]
async fn a_lock_and_locks_exclude_each_other() {
    let (locks, client) = (locks(config(), "locks"), client().await);
    for key in [Key::from("dlock locks"), Key::from(i64::MIN), Key::from((72, -1))] {
        let mut lock = Lock::new(&client, &key).expect("a key");
        let held = in_time(locks.lock(&key)).await.expect("a lock");
        assert!(!lock.acquire(Wait::No).await.expect("an answer"));
        in_time(held.release()).await.expect("a release");
        assert!(lock.acquire(Wait::No).await.expect("an answer"));
        assert!(in_time(locks.try_lock(&key)).await.expect("an answer").is_none());
        let begun = Instant::now();
        let refused = in_time(locks.lock_within(&key, ms(200))).await;
        assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
        assert!(
            begun.elapsed() >= ms(200) && begun.elapsed() < ms(200) + BUSY,
            "{:?}",
            begun.elapsed()
        );
        let waits = tokio::spawn({
            let (locks, key) = (locks.clone(), key.clone());
            async move { locks.lock(&key).await.map(drop) }
        });
        tokio::time::sleep(ms(100)).await;
        lock.release().await.expect("a release");
        in_time(waits).await.expect("no panic").expect("a lock");
    }
}

#[tokio::test]
async fn readers_share() {
    let [one, other] = [locks(config(), "one"), locks(config(), "other")];
    let key = || Key::from("dlock locks shared");
    let first = in_time(one.key(key()).expect("a key").shared().lock()).await.expect("a lock");
    let second = in_time(other.key(key()).expect("a key").shared().lock()).await.expect("a lock");
    assert!(in_time(one.try_lock(key())).await.expect("an answer").is_none());
    drop((first, second));
    in_time(one.lock(key())).await.expect("a lock").release().await.expect("a release");
}

#[tokio::test]
async fn a_kill_is_told_at_once() {
    let (one, client) = (locks(config(), "dlock to be killed"), client().await);
    let held = in_time(one.lock("dlock locks kill")).await.expect("a lock");
    assert!(held.trusted_for() > Some(ms(1000)), "{:?}", held.trusted_for());
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = 'dlock to be killed'";
    let begun = Instant::now();
    client.batch_execute(kill).await.expect("a kill");
    assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
    println!("a kill was told after {:?}", begun.elapsed());
    assert!(begun.elapsed() < BUSY, "{:?}", begun.elapsed());
    in_time(one.lock("dlock locks kill")).await.expect("a lock").release().await.expect("released");
}

#[tokio::test]
async fn a_connection_that_is_closed_is_told_at_once() {
    let proxy = Proxy::start(address()).expect("a proxy");
    let one = locks(towards(proxy.addr()), "one");
    let held = in_time(one.lock("dlock locks cut")).await.expect("a lock");
    let begun = Instant::now();
    proxy.cut();
    assert_eq!(in_time(held.lost()).await.reason(), LostReason::SessionEnded);
    println!("a closed connection was told after {:?}", begun.elapsed());
    assert!(begun.elapsed() < BUSY, "{:?}", begun.elapsed());
}

/// Nothing goes through any more: the holder knows before the server gives the key away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_network_is_told_before_another_holds() {
    let proxy = Proxy::start(address()).expect("a proxy");
    let [one, other] = [locks(towards(proxy.addr()), "one"), locks(config(), "other")];
    let held = in_time(one.lock("dlock locks silent")).await.expect("a lock");
    proxy.blackhole();
    let watch = tokio::spawn(async move { (held.lost().await, Instant::now()) });
    let next = in_time(other.lock("dlock locks silent")).await.expect("a lock");
    let granted = Instant::now();
    let (lost, told) = in_time(watch).await.expect("no panic");
    assert_eq!(lost.reason(), LostReason::Silent);
    println!("told {:?} before another held", granted - told);
    assert!(told < granted);
    next.release().await.expect("a release");
}

/// A wrong server is an error that says so, without the password.
#[tokio::test]
async fn no_server_is_an_error() {
    let mut nowhere = Config::new();
    nowhere.host("127.0.0.1").port(1).user("nobody").password("secret").dbname("none");
    let locks = locks(nowhere.clone(), "one");
    let error = in_time(locks.lock("k")).await.expect_err("nobody listens");
    assert!(matches!(error, Error::NoSession { source: Some(_), .. }), "{error:?}");
    let connected = in_time(Locks::builder(nowhere).connect()).await;
    assert!(matches!(connected, Err(Error::NotConnected { source: Some(_) })));
    assert!(!format!("{error:?} {error} {locks:?}").contains("secret"));
}

/// The holder's server process stands still: it is not trusted, and lets go when it goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_process_is_told_in_time() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().expect("a PostgreSQL URL");
    let [one, other] = [locks(config.clone(), "one"), locks(config.clone(), "other")];
    let held = in_time(one.lock("k")).await.expect("a lock");
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let look = "SELECT pid FROM pg_stat_activity WHERE application_name = 'one'";
    let pid: i32 = client.query_one(look, &[]).await.expect("one session").get(0);
    let pid = u32::try_from(pid).expect("a pid");
    server.pause_backend(pid).expect("a pause");
    let begun = Instant::now();
    assert_eq!(in_time(held.lost()).await.reason(), LostReason::Silent);
    let told = begun.elapsed();
    println!("a frozen server process was told after {told:?}");
    assert!(told < ms(3000) + BUSY, "{told:?}");
    server.continue_backend(pid).expect("an end of the pause");
    in_time(other.lock("k")).await.expect("a lock").release().await.expect("a release");
    in_time(one.lock("k")).await.expect("a lock").release().await.expect("a release");
}
