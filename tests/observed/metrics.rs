use crate::{Held, Locks, config, in_time, memory, ms, postgres};
use dlock_db::{Driver, KeyError, Wait};
use metrics::with_local_recorder;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use postgres::tokio_postgres::NoTls;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Mutex, MutexGuard};
use std::task::Poll;

/// One series: the metric, and the values of its labels.
type Series = (String, Vec<String>);

/// A recorder of one test's own, and what it was told so far.
struct Recorded {
    snapshotter: Snapshotter,
    sums: Mutex<HashMap<Series, f64>>,
}

impl Recorded {
    fn by<T>(build: impl FnOnce() -> T) -> (Self, T) {
        let recorder = DebuggingRecorder::new();
        let built = with_local_recorder(&recorder, build);
        (Self { snapshotter: recorder.snapshotter(), sums: Mutex::default() }, built)
    }

    /// A snapshot tells what was added since the one before. Times are told as how many there were.
    fn sums(&self) -> MutexGuard<'_, HashMap<Series, f64>> {
        let mut sums = self.sums.lock().expect("no panic");
        for (key, _, _, value) in self.snapshotter.snapshot().into_vec() {
            let labels = key.key().labels().map(|label| label.value().to_owned()).collect();
            let added = match value {
                DebugValue::Counter(count) => f64::from(u32::try_from(count).expect("few")),
                DebugValue::Gauge(level) => level.into_inner(),
                DebugValue::Histogram(times) => f64::from(u32::try_from(times.len()).expect("few")),
            };
            *sums.entry((key.key().name().to_owned(), labels)).or_default() += added;
        }
        sums
    }

    /// What a metric says: all its series, or those with this label.
    fn get(&self, metric: &str, label: &str) -> f64 {
        let is_meant = |(name, labels): &Series| {
            name == metric && (label.is_empty() || labels.iter().any(|it| it == label))
        };
        let sums = self.sums();
        assert!(sums.keys().any(is_meant), "there is no {metric} of {label}");
        sums.iter().filter(|(series, _)| is_meant(series)).map(|(_, sum)| sum).sum()
    }

    async fn until(&self, metric: &str, label: &str, value: f64) {
        let reached = tokio::time::timeout(ms(10_000), async {
            while self.get(metric, label) != value {
                tokio::time::sleep(ms(2)).await;
            }
        });
        let is = || self.get(metric, label);
        assert!(reached.await.is_ok(), "{metric} {label} is {}, not {value}", is());
    }

    fn names_no(&self, word: &str) {
        let sums = self.sums();
        let named = sums.keys().find(|(_, labels)| labels.iter().any(|it| it.contains(word)));
        assert!(named.is_none(), "{named:?}");
    }
}

/// Every call ends in one of four ways, and levels come back to where they were.
async fn calls_and_levels<D>(recorded: &Recorded, locks: Locks<D>) -> Held<D>
where
    D: Driver<Key: TryFrom<&'static str, Error: Into<KeyError>>>,
{
    let acquires = |outcome| recorded.get("dlock_acquires_total", outcome);
    let held = in_time(locks.lock("secret:1")).await.expect("a lock");
    assert_eq!((acquires("granted"), recorded.get("dlock_waiters", "")), (1.0, 0.0));
    recorded.until("dlock_held", "", 1.0).await;
    recorded.until("dlock_sessions", "serving", 1.0).await;
    assert!(in_time(locks.try_lock("secret:1")).await.expect("an answer").is_none());
    assert_eq!(acquires("timed_out"), 1.0);
    {
        let mut waits = pin!(locks.lock("secret:1"));
        poll_fn(|context| {
            assert!(waits.as_mut().poll(context).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(recorded.get("dlock_waiters", ""), 1.0);
    }
    assert_eq!((acquires("dropped"), recorded.get("dlock_waiters", "")), (1.0, 0.0));
    let both = in_time(locks.lock_all(["secret:2", "secret:3"], Wait::Forever)).await;
    recorded.until("dlock_held", "", 3.0).await;
    in_time(both.expect("both").release()).await.expect("a release");
    recorded.until("dlock_held", "", 1.0).await;
    assert_eq!((acquires("granted"), acquires("error")), (2.0, 0.0));
    assert!(recorded.get("dlock_acquire_seconds", "granted") >= 1.0);
    held
}

/// A session that ended is a loss, and the one in its place a reconnect; all is zero in the end.
async fn losses_and_the_end<D>(recorded: &Recorded, locks: Locks<D>, held: Held<D>)
where
    D: Driver<Key: TryFrom<&'static str, Error: Into<KeyError>>>,
{
    in_time(held.lost()).await;
    recorded.until("dlock_losses_total", "session_ended", 1.0).await;
    recorded.until("dlock_held", "", 0.0).await;
    assert_eq!(recorded.get("dlock_reconnects_total", ""), 0.0);
    let again = in_time(locks.lock("secret:1")).await.expect("a lock");
    recorded.until("dlock_reconnects_total", "", 1.0).await;
    in_time(again.release()).await.expect("a release");
    in_time(locks.close()).await;
    assert!(in_time(locks.lock("secret:1")).await.is_err());
    assert_eq!(recorded.get("dlock_acquires_total", "error"), 1.0);
    for level in ["dlock_held", "dlock_waiters", "dlock_sessions"] {
        recorded.until(level, "", 0.0).await;
    }
    assert_eq!(recorded.get("dlock_losses_total", ""), 1.0);
    recorded.names_no("secret");
}

#[tokio::test]
async fn of_memory() {
    let database = memory::Database::new();
    let (recorded, locks) = Recorded::by(|| database.locks());
    let held = calls_and_levels(&recorded, locks.clone()).await;
    database.kill("secret:1");
    losses_and_the_end(&recorded, locks, held).await;
}

#[tokio::test]
async fn of_postgres() {
    let build = || postgres::Locks::builder(config()).name("metered").build();
    let (recorded, locks) = Recorded::by(build);
    let locks = locks.expect("a thread");
    let held = calls_and_levels(&recorded, locks.clone()).await;
    let (client, connection) = config().connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = 'metered'";
    client.execute(kill, &[]).await.expect("a kill");
    losses_and_the_end(&recorded, locks, held).await;
}

/// The holder's clock and the engine both see it; it is one loss.
#[tokio::test]
async fn a_silent_server_is_one_loss() {
    let database = memory::Database::new();
    let build = || database.builder().lease(ms(3000)).build();
    let (recorded, locks) = Recorded::by(build);
    let locks = locks.expect("a thread");
    let held = in_time(locks.lock("secret:1")).await.expect("a lock");
    database.silence("secret:1");
    while !held.is_lost() {
        tokio::task::yield_now().await;
    }
    recorded.until("dlock_losses_total", "silent", 1.0).await;
    recorded.until("dlock_held", "", 0.0).await;
    in_time(locks.lock("secret:1")).await.expect("a lock").release().await.expect("a release");
    in_time(locks.close()).await;
    assert_eq!(recorded.get("dlock_losses_total", ""), 1.0);
}

/// Several of one name in a process add up, and what one of them no longer has goes.
#[tokio::test]
async fn factories_add_up() {
    let database = memory::Database::new();
    let (recorded, [one, other]) = Recorded::by(|| [database.locks(), database.locks()]);
    let held = one.lock("secret:1").await.expect("a lock");
    let beside = other.lock("secret:2").await.expect("a lock");
    recorded.until("dlock_held", "", 2.0).await;
    drop((one, held));
    recorded.until("dlock_held", "", 1.0).await;
    recorded.until("dlock_sessions", "", 1.0).await;
    drop((other, beside));
    recorded.until("dlock_sessions", "", 0.0).await;
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let mut config = postgres::tokio_postgres::Config::new();
    config.host("127.0.0.1").port(1);
    let (recorded, locks) = Recorded::by(|| postgres::Locks::builder(config).build());
    let refused = in_time(locks.expect("a thread").lock("secret:1")).await;
    refused.expect_err("no server");
    assert_eq!(recorded.get("dlock_acquires_total", "error"), 1.0);
    assert!(recorded.get("dlock_connect_failures_total", "") >= 1.0);
    assert_eq!(recorded.get("dlock_reconnects_total", ""), 0.0);
}
