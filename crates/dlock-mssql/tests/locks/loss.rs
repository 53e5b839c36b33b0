use crate::server::{self, run, sessions};
use crate::{LEASE, address, builder, fresh, in_time, locks, ms, towards};
use dlock_locks::LostReason;
use dlock_mssql::{Held, tiberius::Config};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::trial::BUSY;
use std::time::{Duration, Instant};

/// How soon a loss is told that can be seen without asking.
const BOUND: Duration = ms(200);

/// Waits until the lock is lost, and says how long that took.
async fn told(held: &Held, reason: LostReason, begun: Instant) -> Duration {
    assert_eq!(in_time(held.lost()).await.reason(), reason);
    assert!(held.is_lost() && held.cancelled().is_cancelled());
    begun.elapsed()
}

/// Other work on the machine may delay one of them.
fn within_bound(mut times: [Duration; 5], what: &str) {
    times.sort();
    println!("{what} was told after {:?} in the median, {:?} at worst", times[2], times[4]);
    assert!(times[2] <= BOUND && times[4] < BUSY, "{times:?}");
}

pub(crate) async fn by_a_kill() {
    let (locks, key) = (locks().await, fresh("kill"));
    let mut observer = server::connect(&server::config().await).await;
    let mut times = [Duration::ZERO; 5];
    for time in &mut times {
        let held = in_time(locks.lock(&key)).await.expect("a lock");
        assert_eq!(held.trusted_for(), None);
        let [session] = sessions(&mut observer, &key).await[..] else { panic!("one session") };
        let begun = Instant::now();
        run(&mut observer, &format!("KILL {session}")).await;
        *time = told(&held, LostReason::SessionEnded, begun).await;
        assert!(matches!(held.release().await, Err(dlock_locks::Error::Lost(_))));
    }
    within_bound(times, "a kill");
}

async fn through(proxy: &Proxy, config: &Config) -> dlock_mssql::Locks {
    builder(towards(proxy.addr(), config)).build().expect("a thread")
}

pub(crate) async fn by_a_closed_connection() {
    let (config, key) = (server::config().await, fresh("cut"));
    let proxy = Proxy::start(address(&config)).expect("a proxy");
    let locks = through(&proxy, &config).await;
    let mut times = [Duration::ZERO; 5];
    for time in &mut times {
        let held = in_time(locks.lock(&key)).await.expect("a lock");
        let begun = Instant::now();
        proxy.cut();
        *time = told(&held, LostReason::SessionEnded, begun).await;
    }
    within_bound(times, "a closed connection");
}

/// A call goes on waiting on a new session.
pub(crate) async fn while_waiting() {
    let (config, key) = (server::config().await, fresh("cut-wait"));
    let proxy = Proxy::start(address(&config)).expect("a proxy");
    let (one, other) = (locks().await, through(&proxy, &config).await);
    let mut observer = server::connect(&config).await;
    let held = in_time(one.lock(&key)).await.expect("a lock");
    let waits = tokio::spawn({
        let key = key.clone();
        async move { other.lock(&key).await }
    });
    while server::count(&mut observer, &key, true).await == 0 {
        tokio::time::sleep(ms(1)).await;
    }
    proxy.cut();
    while server::count(&mut observer, &key, true).await != 0 {
        tokio::time::sleep(ms(1)).await;
    }
    in_time(held.release()).await.expect("a release");
    in_time(waits).await.expect("no panic").expect("a lock").release().await.expect("a release");
}

/// Nothing goes through any more: a ping that stays unanswered tells.
pub(crate) async fn by_a_silent_network() {
    let (config, key) = (server::config().await, fresh("silent"));
    let proxy = Proxy::start(address(&config)).expect("a proxy");
    let locks = through(&proxy, &config).await;
    let held = in_time(locks.lock(&key)).await.expect("a lock");
    let begun = Instant::now();
    proxy.blackhole();
    let after = told(&held, LostReason::Silent, begun).await;
    println!("a silent network was told after {after:?}");
    assert!(after < LEASE + BUSY, "{after:?}");
}

/// Pings, batches and waits are no loss, whatever comes in between.
pub(crate) async fn none_while_all_is_well() {
    let ([one, other], key) = (crate::pair().await, fresh("well"));
    let held = in_time(one.lock(&key)).await.expect("a lock");
    for number in 0..500 {
        let busy = in_time(one.try_lock(format!("{key}-{number}"))).await.expect("an answer");
        drop(busy.expect("it is free"));
    }
    let refused = in_time(other.lock_within(&key, Duration::from_secs(4))).await;
    assert!(matches!(refused, Err(dlock_locks::Error::TimedOut { .. })), "{refused:?}");
    assert!(!held.is_lost());
    in_time(held.release()).await.expect("a release");
}
