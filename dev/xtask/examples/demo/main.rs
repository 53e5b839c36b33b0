//! Two workers compete for one key on a private PostgreSQL, and then processes do: `cargo xtask demo`.

mod processes;

use std::env;
use std::time::{Duration, Instant};

use dlock_postgres::tokio_postgres::{Client, Config, NoTls};
use dlock_postgres::{Error, Lock, Session};
use dlock_testkit::server::Postgres;
use tokio::task::JoinHandle;

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

const KEY: &str = "invoice:42";
const PATIENCE: Duration = Duration::from_millis(300);
const WORK: Duration = Duration::from_millis(200);

/// The clock that all lines are told by.
#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn tell(self, who: &str, what: &str) {
        println!("{:>9.1} ms  {who:<6} {what}", millis(self.0.elapsed()));
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Vec::from_iter(env::args().skip(1));
    if let [task, url] = &arguments[..] {
        return if task == "worker" {
            processes::worker(url).await
        } else {
            Err("no such task".into())
        };
    }
    println!("starting PostgreSQL");
    let start = Instant::now();
    let server = tokio::task::spawn_blocking(Postgres::shared).await??;
    let version = server.version().unwrap_or("at the URL you gave");
    println!("PostgreSQL {version} is up after {:.1} s", start.elapsed().as_secs_f64());
    println!("two workers, one key: {KEY}\n");
    let both = async {
        compete(server.url()).await?;
        processes::show(server.url()).await
    };
    tokio::time::timeout(Duration::from_secs(60), both).await?
}

async fn compete(url: &str) -> Result<()> {
    let (alice, observer) = (connect(url).await?, connect(url).await?);
    let clock = Clock(Instant::now());
    let mut lock = Lock::new(&alice, KEY)?;
    let start = Instant::now();
    let guard = lock.lock().await?;
    clock.tell("alice", &format!("holds the key, after {:.1} ms", millis(start.elapsed())));

    re_enter(&alice, clock).await?;
    let waiting = tokio::spawn(bob(url.to_owned(), clock));
    queued(&observer, &waiting).await?;
    clock.tell("server", "one holds, one waits in its queue");
    tokio::time::sleep(PATIENCE + WORK).await;

    clock.tell("alice", "releases");
    let released = Instant::now();
    guard.release().await?;
    let got = waiting.await??;
    let took = millis(got.saturating_duration_since(released));
    println!("\nthe hand-over took {took:.1} ms, from alice's call to bob's guard");
    Ok(())
}

/// A second lock on the same key over the same session is refused: it never counts up silently.
async fn re_enter(alice: &Client, clock: Clock) -> Result<()> {
    clock.tell("alice", "asks again over the same session");
    match Lock::new(alice, KEY)?.lock().await {
        Err(error @ Error::AlreadyHeld) => {
            clock.tell("alice", &format!("is refused: {error}"));
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("the same session was let in twice".into()),
    }
}

/// Waits with a limit, then without one; returns when he held the key.
async fn bob(url: String, clock: Clock) -> Result<Instant> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    let mut lock = Lock::new(Session::new(client, connection), KEY)?;
    clock.tell("bob", &format!("asks, and will wait for {} ms", PATIENCE.as_millis()));
    let start = Instant::now();
    match lock.lock_within(PATIENCE).await {
        Err(error @ Error::TimedOut) => {
            let waited = millis(start.elapsed());
            clock.tell("bob", &format!("gave up after {waited:.1} ms: {error}"));
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("bob got a key that alice holds".into()),
    }
    clock.tell("bob", "asks again, and will wait for as long as it takes");
    let guard = lock.lock().await?;
    let got = Instant::now();
    clock.tell("bob", "holds the key");
    guard.release().await?;
    clock.tell("bob", "released it");
    Ok(got)
}

/// Waits until the server has one holder and one waiter, or bob has ended.
async fn queued(observer: &Client, bob: &JoinHandle<Result<Instant>>) -> Result<()> {
    let queue = "select from pg_locks where locktype = 'advisory' and not granted";
    while !bob.is_finished() && observer.query(queue, &[]).await?.is_empty() {}
    Ok(())
}

async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = url.parse::<Config>()?.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
