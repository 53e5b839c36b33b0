use super::bounds::{LEASE, in_time, ms};
use super::fixture::{HeldOf, ProcessFixture};
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::fmt;
use std::process::{ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

/// By what the program knows that it is a client.
const VARIABLE: &str = "DLOCK_TESTKIT_CLIENT";

/// A process of its own that holds keys and works until they are lost.
#[derive(Debug)]
pub struct Client {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    keys: usize,
}

/// How one key of a client ended, by the clock of the machine.
#[derive(Clone, Debug)]
pub struct End {
    /// Which of the keys.
    pub number: usize,
    /// When it last did a moment's work under the lock.
    pub worked: Duration,
    /// When it had been told.
    pub told: Duration,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.number, self.worked.as_micros(), self.told.as_micros())
    }
}

impl Client {
    /// Starts this program again; it holds `KEY 0`, `KEY 1` and so on when this returns.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(url: &str, key: &str, keys: usize) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.env(VARIABLE, format!("{keys}\n{key}\n{url}"));
        command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut client = Self { child, lines, keys };
        assert_eq!(client.line().await, "held");
        client
    }

    /// The clock that every process of this machine shares.
    #[must_use]
    pub fn now() -> Duration {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }

    /// Stops it, with SIGSTOP.
    ///
    /// # Panics
    /// When it has ended.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it has ended.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(id.expect("a process that runs"), signal).expect("a signal");
    }

    async fn line(&mut self) -> String {
        let line = in_time(self.lines.next_line()).await;
        line.expect("a line").expect("a line before the end")
    }

    /// How each of its keys ended.
    ///
    /// # Panics
    /// When it does not say so.
    pub async fn ends(&mut self) -> Vec<End> {
        let mut ends = Vec::new();
        for _ in 0..self.keys {
            let line = self.line().await;
            let mut words = line.split(' ').map(|word| word.parse().expect("a number"));
            let mut next = || words.next().expect("a word");
            let (number, worked, told) = (next(), next(), next());
            let number = usize::try_from(number).expect("a small number");
            let [worked, told] = [worked, told].map(Duration::from_micros);
            ends.push(End { number, worked, told });
        }
        ends
    }
}

/// Works as a client where this process was started as one: the first thing that `main` does. `None`: it was
/// not.
#[must_use]
pub fn client<F: ProcessFixture>() -> Option<ExitCode> {
    let order = env::var(VARIABLE).ok()?;
    let mut words = order.splitn(3, '\n');
    let keys = words.next()?.parse().ok()?;
    let (key, url) = (words.next()?.to_owned(), words.next()?.to_owned());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(hold::<F>(&url, &key, keys));
    Some(ExitCode::SUCCESS)
}

async fn hold<F: ProcessFixture>(url: &str, key: &str, keys: usize) {
    let locks = F::at(url).lease(LEASE).build().expect("a thread");
    let mut all = Vec::new();
    for number in 0..keys {
        all.push(in_time(locks.lock(F::key(&format!("{key} {number}")))).await.expect("a lock"));
    }
    println!("held");
    let mut works = JoinSet::new();
    for (number, held) in all.into_iter().enumerate() {
        works.spawn(work::<F>(number, held));
    }
    while let Some(end) = works.join_next().await {
        println!("{}", end.expect("no panic"));
    }
}

async fn work<F: ProcessFixture>(number: usize, held: HeldOf<F>) -> End {
    let worked = Mutex::new(Client::now());
    let works = async {
        loop {
            *worked.lock().expect("no panic") = Client::now();
            tokio::time::sleep(ms(1)).await;
        }
    };
    let lost: Result<(), _> = held.run_until_lost(works).await;
    lost.expect_err("it never ends");
    End { number, worked: worked.into_inner().expect("no panic"), told: Client::now() }
}
