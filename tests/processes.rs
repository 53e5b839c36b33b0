//! Promise: processes exclude each other, and one that is killed leaves nothing behind.
//!
//! This program starts itself again as the other process, with its part as arguments.

use dlock_core::{Lock, RawUnlock, Wait};
use dlock_db::mysql::mysql_async::{Conn, Opts};
use dlock_db::mysql::{self, Named};
use dlock_db::postgres::tokio_postgres::{Config, NoTls};
use dlock_db::postgres::{self, Advisory, Session};
use dlock_testkit::server::{Engine, Maria, Mysql, PostgreSql, Server};
use dlock_testkit::trial::{harness, trial};
use std::env;
use std::fs::{self, OpenOptions};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_secs(60);
/// How long a server may take to see that a client is gone.
const AT_ONCE: Duration = Duration::from_secs(1);
const SECTIONS: usize = 100;

/// A driver, and how to make a lock over a session of its own.
trait Driver: 'static {
    type Raw: RawUnlock + Send;

    fn lock(url: &str, key: &str) -> impl Future<Output = Lock<Self::Raw>> + Send;
}

enum Postgres {}
enum MySql {}

impl Driver for Postgres {
    type Raw = Advisory<Session>;

    async fn lock(url: &str, key: &str) -> Lock<Self::Raw> {
        let config: Config = url.parse().unwrap();
        let (client, connection) = config.connect(NoTls).await.unwrap();
        postgres::Lock::new(Session::new(client, connection), key).unwrap()
    }
}

impl Driver for MySql {
    type Raw = Named<Conn>;

    async fn lock(url: &str, key: &str) -> Lock<Self::Raw> {
        let conn = Conn::new(Opts::from_url(url).unwrap()).await.unwrap();
        mysql::Lock::new(conn, key).unwrap()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    match &arguments[..] {
        [_, child, driver, part, url, key] if child == "child" => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            match driver.as_str() {
                "postgres" => runtime.block_on(play::<Postgres>(part, url, key)),
                _ => runtime.block_on(play::<MySql>(part, url, key)),
            }
            ExitCode::SUCCESS
        }
        _ => harness(
            [
                trials::<PostgreSql, Postgres>("postgres"),
                trials::<Maria, MySql>("mariadb"),
                trials::<Mysql, MySql>("mysql"),
            ]
            .into_iter()
            .flatten()
            .collect(),
        ),
    }
}

fn trials<E: Engine, D: Driver>(name: &'static str) -> Vec<libtest_mimic::Trial> {
    vec![
        trial(format!("{name}::contend"), move || contend::<E>(name)),
        trial(format!("{name}::killed_holder"), move || killed_holder::<E, D>(name)),
        trial(format!("{name}::killed_waiter"), move || killed_waiter::<E, D>(name)),
    ]
}

/// The other process.
async fn play<D: Driver>(part: &str, url: &str, key: &str) {
    let mut lock = D::lock(url, key).await;
    match part {
        "contend" => println!("waited {}", sections(&mut lock, key).await),
        "hold" => {
            assert!(lock.acquire(Wait::No).await.unwrap());
            println!("held");
            sleep(LIMIT).await;
        }
        _ => {
            println!("waiting");
            lock.acquire(LIMIT).await.unwrap();
            unreachable!("nobody gives the key to a process that is killed");
        }
    }
}

/// How often the key had to be waited for. A file that only one process at a time can make is the
/// counter that is never above 1.
async fn sections<R: RawUnlock>(lock: &mut Lock<R>, key: &str) -> usize {
    let mut waited = 0;
    for _ in 0..SECTIONS {
        if !lock.acquire(Wait::No).await.unwrap() {
            waited += 1;
            assert!(lock.acquire(LIMIT).await.unwrap());
        }
        let alone = OpenOptions::new().write(true).create_new(true).open(counter(key));
        alone.expect("nobody else is in the section");
        sleep(Duration::from_millis(1)).await;
        fs::remove_file(counter(key)).unwrap();
        lock.release().await.unwrap();
    }
    waited
}

fn counter(key: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(key)
}

/// A process that plays a part, killed when it is dropped.
struct Other {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Other {
    fn new<E: Engine>(name: &str, part: &str, key: &str) -> Self {
        let driver = if name == "postgres" { name } else { "mysql" };
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["child", driver, part, Server::<E>::shared().unwrap().url(), key])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    async fn says(&mut self) -> String {
        let line = timeout(LIMIT, self.said.next_line()).await.expect("a word in time");
        line.unwrap().expect("a word before the end")
    }

    async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }
}

fn key(name: &str, case: &str) -> String {
    format!("processes-{name}-{case}-{}", std::process::id())
}

async fn contend<E: Engine>(name: &str) {
    let key = key(name, "contend");
    let mut others = [(); 2].map(|()| Other::new::<E>(name, "contend", &key));
    let mut waited = 0;
    for other in &mut others {
        let said = other.says().await;
        waited += said.strip_prefix("waited ").unwrap().parse::<usize>().unwrap();
        assert!(other.child.wait().await.unwrap().success());
    }
    assert!(waited > 0, "the two never met");
}

/// A waiter here has the key within a second of the SIGKILL there.
async fn killed_holder<E: Engine, D: Driver>(name: &str) {
    let key = key(name, "holder");
    let mut other = Other::new::<E>(name, "hold", &key);
    assert_eq!(other.says().await, "held");
    let mut lock = D::lock(Server::<E>::shared().unwrap().url(), &key).await;
    assert!(!lock.acquire(Duration::from_millis(300)).await.unwrap());
    let killed = async {
        sleep(Duration::from_millis(200)).await;
        other.kill().await;
        Instant::now()
    };
    let (granted, killed) = tokio::join!(lock.acquire(LIMIT), killed);
    assert!(granted.unwrap());
    assert!(killed.elapsed() < AT_ONCE, "{:?}", killed.elapsed());
    lock.release().await.unwrap();
}

/// A waiter that was killed does not get the key, or gives it back at once.
async fn killed_waiter<E: Engine, D: Driver>(name: &str) {
    let (key, url) = (key(name, "waiter"), Server::<E>::shared().unwrap().url());
    let mut lock = D::lock(url, &key).await;
    assert!(lock.acquire(Wait::No).await.unwrap());
    let mut other = Other::new::<E>(name, "wait", &key);
    assert_eq!(other.says().await, "waiting");
    sleep(Duration::from_millis(200)).await;
    other.kill().await;
    lock.release().await.unwrap();
    let start = Instant::now();
    assert!(D::lock(url, &key).await.acquire(AT_ONCE).await.unwrap(), "{:?}", start.elapsed());
}
