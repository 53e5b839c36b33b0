//! What ends a session, and how its holder learns of it.

use crate::server::{Flavour, address, conn, holder, opts, through, until_awaited, waiter};
use crate::{LEASE, locks, ms};
use dlock_core::Wait;
use dlock_locks::LostReason;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Opts, OptsBuilder};
use dlock_mysql::{Held, Lock};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Server;
use dlock_testkit::trial::BUSY;
use std::time::{Duration, Instant};

/// By when the end of a session is told: at the next ping.
const TOLD: Duration = ms(1000 + 50);

async fn is_told(held: &Held, reason: LostReason) -> Instant {
    assert_eq!(held.lost().await.reason(), reason);
    assert!(held.is_lost() && held.cancelled().is_cancelled());
    Instant::now()
}

/// An administrator's kill is told at the next ping. Another lock is had at once.
pub(crate) async fn killed<E: Flavour>() {
    let (locks, key, mut observer) = (locks(opts::<E>()), fresh_key("kill"), conn::<E>().await);
    let held = locks.lock(&key).await.expect("a lock");
    let trusted = held.trusted_for().expect("a lease");
    assert!(trusted > ms(1500) && trusted <= ms(2700), "{trusted:?}");
    let id = holder(&mut observer, &key).await.expect("a holder");
    let begun = Instant::now();
    observer.query_drop(format!("KILL {id}")).await.expect("a kill");
    let told = is_told(&held, LostReason::SessionEnded).await - begun;
    println!("a kill was told after {told:?}");
    assert!(told < TOLD + BUSY, "{told:?}");
    locks.lock(&key).await.expect("a lock").release().await.expect("a release");
}

pub(crate) async fn closed<E: Flavour>() {
    let (proxy, key) = (Proxy::start(address::<E>()).expect("a proxy"), fresh_key("fin"));
    let locks = locks(through::<E>(proxy.addr()));
    let held = locks.lock(&key).await.expect("a lock");
    let begun = Instant::now();
    proxy.cut();
    let told = is_told(&held, LostReason::SessionEnded).await - begun;
    println!("a closed connection was told after {told:?}");
    assert!(told < TOLD + BUSY, "{told:?}");
    locks.lock(&key).await.expect("a lock").release().await.expect("a release");
}

/// Nothing goes through any more: the holder knows before the server gives the key away, which it does when
/// the lease is over.
pub(crate) async fn silent<E: Flavour>() {
    let (proxy, key) = (Proxy::start(address::<E>()).expect("a proxy"), fresh_key("silent"));
    let [one, other] = [locks(through::<E>(proxy.addr())), locks(opts::<E>())];
    let held = one.lock(&key).await.expect("a lock");
    let (begun, watch) = (Instant::now(), {
        proxy.blackhole();
        tokio::spawn(async move { is_told(&held, LostReason::Silent).await })
    });
    let next = other.lock(&key).await.expect("a lock");
    let granted = Instant::now();
    let told = watch.await.expect("no panic");
    println!("told {:?} before another held, {:?} later", granted - told, granted - begun);
    assert!(told < granted && granted - begun < LEASE + ms(1500), "{:?}", granted - begun);
    next.release().await.expect("a release");
}

/// A wait that is dropped leaves the server's queue within a slice, and its key is nobody's.
pub(crate) async fn dropped_wait<E: Flavour>() {
    let (locks, key, mut observer) = (locks(opts::<E>()), fresh_key("drop"), conn::<E>().await);
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).expect("a key");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    for _ in 0..5 {
        tokio::select! {
            answer = locks.lock(&key) => panic!("{answer:?}"),
            _ = until_awaited(&mut observer, &key) => {}
        }
        let begun = Instant::now();
        while waiter(&mut observer, &key).await.is_some() {
            assert!(begun.elapsed() < ms(1000), "still waiting");
            tokio::time::sleep(ms(5)).await;
        }
    }
    lock.release().await.expect("a release");
    assert!(lock.acquire(Wait::No).await.expect("nobody else has it"));
    lock.release().await.expect("a release");
}

fn opts_of<E: Flavour>(server: &Server<E>) -> OptsBuilder {
    OptsBuilder::from_opts(Opts::from_url(server.url()).expect("a URL"))
}

/// The server stands still: it is not trusted, and lets go when it goes on.
pub(crate) async fn frozen<E: Flavour>() {
    let server = Server::<E>::start(&[]).expect("a server");
    let [one, other] = [locks(opts_of(&server)), locks(opts_of(&server))];
    let held = one.lock("k").await.expect("a lock");
    let begun = Instant::now();
    server.pause().expect("a pause");
    let told = is_told(&held, LostReason::Silent).await - begun;
    println!("a frozen server was told after {told:?}");
    assert!(told < LEASE, "{told:?}");
    server.unpause().expect("an end of the pause");
    other.lock("k").await.expect("a lock").release().await.expect("a release");
    one.lock("k").await.expect("a lock").release().await.expect("a release");
}

/// A restart ends what was held, and all that comes is on the new server.
pub(crate) async fn restarted<E: Flavour>() {
    let server = Server::<E>::start(&[]).expect("a server");
    let locks = locks(opts_of(&server));
    let held = locks.lock("k").await.expect("a lock");
    tokio::task::block_in_place(|| server.restart()).expect("a restart");
    is_told(&held, LostReason::SessionEnded).await;
    locks.lock("k").await.expect("a lock").release().await.expect("a release");
}
