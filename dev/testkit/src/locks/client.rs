use super::bounds::{LEASE, in_time, ms};
use super::fixture::{FenceFixture, Fixture, HeldOf, ProcessFixture};
use dlock_locks::{Driver, Error, Held, LostReason, Request};
use futures::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::fmt;
use std::process::{ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// By what the program knows that it is a client.
const VARIABLE: &str = "DLOCK_TESTKIT_CLIENT";
/// By what it knows that it is one whose locks are fenced.
const FENCED: &str = "DLOCK_TESTKIT_FENCED_CLIENT";

/// A process of its own that holds keys, each by `Locks` of its own, and works until they are lost.
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
    /// The last moment after which the lock was looked at and was not lost; zero where there was none.
    pub worked: Duration,
    /// How often its work was polled when the lock was lost already: once, where the process was stopped between
    /// the look at the clock and the work behind it.
    pub late: u32,
    /// When it had been told.
    pub told: Duration,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [worked, told] = [self.worked, self.told].map(|time| time.as_micros());
        write!(f, "{} {worked} {} {told}", self.number, self.late)
    }
}

impl Client {
    /// Starts this program again; it holds `KEY 0`, `KEY 1` and so on when this returns.
    ///
    /// # Panics
    /// When it does not.
    pub async fn start(url: &str, key: &str, keys: usize) -> Self {
        Self::start_as(VARIABLE, url, key, keys).await
    }

    /// The same with fences: when it is told of a loss, it begins a transaction all the same.
    ///
    /// # Panics
    /// When it does not hold them.
    pub async fn start_fenced(url: &str, key: &str, keys: usize) -> Self {
        Self::start_as(FENCED, url, key, keys).await
    }

    async fn start_as(variable: &str, url: &str, key: &str, keys: usize) -> Self {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.env(variable, format!("{keys}\n{key}\n{url}"));
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
            let (number, worked, late, told) = (next(), next(), next(), next());
            let number = usize::try_from(number).expect("a small number");
            let late = u32::try_from(late).expect("a small number");
            let [worked, told] = [worked, told].map(Duration::from_micros);
            ends.push(End { number, worked, late, told });
        }
        ends
    }

    /// What became of the transaction that it began after each loss: `refused` by the server, where all is
    /// well.
    ///
    /// # Panics
    /// When it does not say so.
    pub async fn begun(&mut self) -> Vec<String> {
        let mut begun = Vec::new();
        for _ in 0..self.keys {
            begun.push(self.line().await);
        }
        begun
    }
}

/// Works as a client where this process was started as one: the first thing that `main` does. `None`: it was
/// not.
#[must_use]
pub fn client<F: ProcessFixture>() -> Option<ExitCode> {
    let order = Order::read(VARIABLE)?;
    runtime().block_on(hold::<F>(&order));
    Some(ExitCode::SUCCESS)
}

/// The same for one that is fenced.
#[must_use]
pub fn fenced_client<F: FenceFixture>() -> Option<ExitCode> {
    let order = Order::read(FENCED)?;
    runtime().block_on(fenced::<F>(&order));
    Some(ExitCode::SUCCESS)
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}

/// What a client is to hold.
struct Order {
    keys: usize,
    key: String,
    url: String,
}

impl Order {
    fn read(variable: &str) -> Option<Self> {
        let order = env::var(variable).ok()?;
        let mut words = order.splitn(3, '\n');
        let keys = words.next()?.parse().ok()?;
        Some(Self { keys, key: words.next()?.to_owned(), url: words.next()?.to_owned() })
    }

    /// Each of the keys, by `Locks` of its own.
    fn requests<F: ProcessFixture>(&self) -> Vec<Request<F::Driver>> {
        let request = |number| {
            let locks = F::at(&self.url).lease(LEASE).build().expect("a thread");
            locks.key(F::key(&format!("{} {number}", self.key))).expect("a key")
        };
        (0..self.keys).map(request).collect()
    }
}

async fn held<F: Fixture>(requests: Vec<Request<F::Driver>>) -> Vec<HeldOf<F>> {
    let all = requests.iter().map(Request::lock);
    let all = in_time(join_all(all)).await.into_iter().map(|held| held.expect("a lock")).collect();
    println!("held");
    all
}

async fn hold<F: ProcessFixture>(order: &Order) {
    let mut works = JoinSet::new();
    for (number, held) in held::<F>(order.requests::<F>()).await.into_iter().enumerate() {
        works.spawn(work::<F>(number, held));
    }
    while let Some(end) = works.join_next().await {
        println!("{}", end.expect("no panic"));
    }
}

/// What was seen at a moment's work: the time, and then whether the lock was lost. A time that is read first
/// is one at which the lock was held.
#[derive(Default)]
struct Seen {
    worked: Duration,
    late: u32,
}

impl Seen {
    fn look<D: Driver>(&mut self, held: &Held<D>) {
        let now = Client::now();
        match held.is_lost() {
            true => self.late += 1,
            false => self.worked = now,
        }
    }
}

async fn work<F: Fixture>(number: usize, held: HeldOf<F>) -> End {
    let seen = Mutex::new(Seen::default());
    let works = async {
        loop {
            seen.lock().expect("no panic").look(&held);
            tokio::time::sleep(ms(1)).await;
        }
    };
    let lost: Result<(), _> = held.run_until_lost(works).await;
    lost.expect_err("it never ends");
    let Seen { worked, late } = seen.into_inner().expect("no panic");
    End { number, worked, late, told: Client::now() }
}

async fn fenced<F: FenceFixture>(order: &Order) {
    let mut connection = F::connection(&order.url).await;
    let requests = order.requests::<F>().into_iter().map(Request::fenced).collect();
    for held in held::<F>(requests).await {
        held.lost().await;
        println!("{}", begun::<F>(&held, &mut connection).await);
    }
}

/// What becomes of a transaction that is begun behind this lock's fence.
pub(super) async fn begun<F: FenceFixture>(
    held: &HeldOf<F>,
    connection: &mut F::Connection,
) -> String {
    match in_time(held.begin(connection)).await.map(drop) {
        Err(Error::Lost(lost)) if lost.reason() == LostReason::Fenced => REFUSED.to_owned(),
        other => format!("{other:?}"),
    }
}

/// What a transaction is that the server refused.
pub(super) const REFUSED: &str = "refused";
