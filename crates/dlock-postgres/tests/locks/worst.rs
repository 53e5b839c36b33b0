//! A server that goes away while a session is being opened, and more keys than anybody should want.

use crate::{address, client, config, in_time, locks, ms, towards};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_postgres::{Key, Locks, LocksBuilder, Number};
use dlock_testkit::server::Postgres;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// What happens when the server has said as much as it may.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Closes,
    FallsSilent,
}

/// The way to a server that goes away after so many bytes, on whichever connection they are.
struct Way {
    left: AtomicUsize,
    said: AtomicUsize,
    end: End,
}

impl Way {
    async fn start(bytes: usize, end: End) -> (Arc<Self>, Config) {
        let way = Self { left: AtomicUsize::new(bytes), said: AtomicUsize::new(0), end };
        let way = Arc::new(way);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut config = towards(listener.local_addr().expect("an address"));
        config.ssl_mode(SslMode::Disable);
        tokio::spawn(Arc::clone(&way).serve(listener, address()));
        (way, config)
    }

    async fn serve(self: Arc<Self>, listener: TcpListener, server: SocketAddr) {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            connections.spawn(Arc::clone(&self).pass(client, server));
        }
    }

    /// Both ways, until either side has ended or the server may say no more.
    async fn pass(self: Arc<Self>, client: TcpStream, server: SocketAddr) {
        let server = TcpStream::connect(server).await.expect("the server");
        let ((from_client, to_client), (from_server, to_server)) =
            (client.into_split(), server.into_split());
        let up = self.copy(from_client, to_server, false);
        let down = self.copy(from_server, to_client, true);
        tokio::select! { () = up => {}, () = down => {} }
    }

    async fn copy(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        is_counted: bool,
    ) {
        let mut buffer = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let may = if is_counted { self.may_say(read) } else { read };
            if to.write_all(&buffer[..may]).await.is_err() {
                return;
            }
            match self.end {
                _ if may == read => {}
                End::Closes => return,
                End::FallsSilent => std::future::pending().await,
            }
        }
    }

    fn may_say(&self, bytes: usize) -> usize {
        self.said.fetch_add(bytes, Ordering::SeqCst);
        let take = |left: usize| Some(left.saturating_sub(bytes));
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take);
        left.unwrap_or_default().min(bytes)
    }
}

fn builder(config: Config) -> LocksBuilder {
    Locks::builder(config).name("dlock steps")
}

/// How many bytes the server says until a session is open.
async fn said_in_all() -> usize {
    let (way, config) = Way::start(usize::MAX, End::Closes).await;
    in_time(builder(config).connect()).await.expect("a session").close().await;
    way.said.load(Ordering::SeqCst)
}

/// Nothing is left of sessions that were not opened.
async fn until_gone() {
    let (client, begun) = (client().await, Instant::now());
    let look = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'dlock steps%'";
    while !client.query(look, &[]).await.expect("an answer").is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "sessions were left behind");
        tokio::time::sleep(ms(20)).await;
    }
}

/// After every few bytes: an error at once, which has the driver's own in it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_at_each_step_of_opening() {
    let all = said_in_all().await;
    let (mut refused, mut opened) = (0, 0);
    for bytes in (0..all).step_by(5) {
        let (_way, config) = Way::start(bytes, End::Closes).await;
        let begun = Instant::now();
        match in_time(builder(config).connect()).await {
            Err(Error::NotConnected { source: Some(_) }) => refused += 1,
            // What was missing was not waited for; then it is as if the server went away a moment later.
            Ok(locks) => {
                opened += 1;
                let refused = in_time(locks.lock_within("steps", ms(200))).await;
                assert!(refused.is_err(), "{bytes} of {all}: {refused:?}");
            }
            Err(other) => panic!("{bytes} of {all}: {other:?}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{bytes} of {all}: {:?}",
            begun.elapsed()
        );
    }
    println!("{all} bytes: {refused} refused, {opened} opened");
    assert!(refused > opened, "{refused} refused, {opened} opened");
    until_gone().await;
}

/// It says nothing any more: an error after the ten seconds that opening may take.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_at_each_step_of_opening() {
    let (all, mut tries) = (said_in_all().await, JoinSet::new());
    for bytes in (0..all - 100).step_by(all / 20) {
        tries.spawn(async move {
            let (way, config) = Way::start(bytes, End::FallsSilent).await;
            let begun = Instant::now();
            let refused = in_time(builder(config).connect()).await;
            assert!(matches!(refused, Err(Error::NotConnected { .. })), "{bytes}: {refused:?}");
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(12), "{bytes} of {all}: {took:?}");
            drop(way);
        });
    }
    tries.join_all().await;
}

/// A text and its number are one key: in calls, in the queue of a process, and among several.
#[tokio::test]
async fn keys_that_are_one_by_their_hash() {
    let (locks, name) = (locks(config(), "hash"), "dlock locks by hash");
    let Number::Single(number) = Key::from(name).number() else { panic!("a text is one number") };
    let held = in_time(locks.lock(name)).await.expect("a lock");
    assert!(in_time(locks.try_lock(number)).await.expect("an answer").is_none());
    held.release().await.expect("a release");
    let all = [Key::from(name), Key::from(number), Key::hashed(name)];
    let held = in_time(locks.lock_all(all, Wait::No)).await.expect("one key");
    assert_eq!(held.keys().count(), 1);
    held.release().await.expect("a release");
}

async fn ask_for(locks: &Locks, keys: Range<i64>) -> (Vec<dlock_postgres::Held>, Vec<String>) {
    let mut calls = JoinSet::new();
    for key in keys {
        let locks = locks.clone();
        calls.spawn(async move { locks.lock(key).await });
    }
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for answer in in_time(calls.join_all()).await {
        match answer {
            Ok(lock) => held.push(lock),
            // On a session that is there, or on a new one, which takes locks of its own while it is opened.
            Err(Error::Driver { source, .. } | Error::NoSession { source: Some(source), .. }) => {
                refused.push(format!("{source:?}"));
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    (held, refused)
}

/// Where the server's lock table has room, all are held, on a session or two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_keys_at_once() {
    let server = Postgres::start(&[("max_locks_per_transaction", "1200")]).expect("a server");
    let config: Config = server.url().parse().expect("a URL");
    let locks = Locks::builder(config).max_keys(100_000).build().expect("a thread");
    let begun = Instant::now();
    let (held, refused) = ask_for(&locks, 0..100_000).await;
    println!("100,000 keys were had in {:?}", begun.elapsed());
    assert_eq!((held.len(), refused.len()), (100_000, 0));
    assert!(locks.stats().await.expect("counts").sessions <= 2);
    drop(held);
    in_time(locks.close()).await;
}

/// Where it has not, as many are held as there is room for, the others are told by the server's own error, and
/// when the keys are let go all is as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_keys_than_the_server_has_room_for() {
    let server = Postgres::start(&[
        ("max_locks_per_transaction", "10"),
        ("max_connections", "20"),
        ("max_wal_senders", "0"),
    ]);
    let server = server.expect("a server");
    let config: Config = server.url().parse().expect("a URL");
    let locks = Locks::builder(config).max_keys(800_000).build().expect("a thread");
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    // The table grows into whatever else of its memory the server has to spare.
    for first in (0..800_000).step_by(20_000) {
        let (granted, others) = ask_for(&locks, first..first + 20_000).await;
        held.extend(granted);
        refused.extend(others);
        if !refused.is_empty() {
            break;
        }
    }
    println!("{} held, {} refused", held.len(), refused.len());
    assert!(!refused.is_empty(), "there is room for all");
    assert!(refused.iter().all(|error| error.contains("53200")), "{:?}", refused.first());
    drop(held);
    let again = in_time(locks.lock("again")).await.expect("there is room again");
    again.release().await.expect("a release");
    in_time(locks.close()).await;
}
