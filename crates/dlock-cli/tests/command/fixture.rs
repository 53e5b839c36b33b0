//! Processes that are started, looked for and ended, and a server.

use dlock_testkit::server::Postgres;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// No step may take longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A name that nobody else has: for a key, and as a mark of processes.
pub(crate) fn name(what: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{what}-{}-{next}", std::process::id())
}

/// The server that the tests share.
pub(crate) fn shared() -> &'static str {
    Postgres::shared().expect("a PostgreSQL server").url()
}

/// The same server by way of what listens here.
pub(crate) fn through(url: &str, proxy: SocketAddr) -> String {
    let (user, rest) = url.split_once('@').expect("a user");
    let (_, database) = rest.split_once('/').expect("a database");
    format!("{user}@{proxy}/{database}")
}

/// `dlock` with these arguments, on this server.
pub(crate) fn dlock(url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dlock"));
    command.args(arguments).env("DLOCK_URL", url).env("RUST_BACKTRACE", "full");
    command.env_remove("DATABASE_URL").stdin(Stdio::null());
    command
}

/// `dlock run` of a script whose processes bear a mark: what is started by it, and not `dlock` itself.
pub(crate) fn run(url: &str, key: &str, options: &[&str], mark: &str, script: &str) -> Command {
    let mark = format!("DLOCK_TEST_MARK={mark}");
    let mut arguments = vec!["run", key];
    arguments.extend(options);
    arguments.extend(["--", "env", &mark, "sh", "-c", script]);
    dlock(url, &arguments)
}

/// The same without options, started; killed when this is dropped.
pub(crate) fn start(mut command: Command) -> Running {
    Running(command.spawn().expect("a process"))
}

/// A process, killed with this value.
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn pid(&self) -> Pid {
        pid(self.0.id())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a process");
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = || self.0.try_wait().expect("a status");
        until("the end of a process", end)
    }

    /// The exit status as a shell says it.
    pub(crate) fn status(&mut self) -> i32 {
        status(self.wait())
    }

    /// The guardian: the only child, once there is one.
    pub(crate) fn guardian(&self) -> Pid {
        until("a guardian", || children(self.pid()).first().copied())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).expect("an end")
}

pub(crate) fn text(output: &[u8]) -> &str {
    std::str::from_utf8(output).expect("UTF-8")
}

/// Its status, and what it wrote.
pub(crate) fn output(mut command: Command) -> (i32, String, String) {
    let Output { status: end, stdout, stderr } = command.output().expect("a process");
    (status(end), text(&stdout).to_owned(), text(&stderr).to_owned())
}

/// Waits until something is so.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(began.elapsed() < LIMIT, "still no {what} after {LIMIT:?}");
        sleep(ms(2));
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).expect("a number")).expect("a number")
}

fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").expect("processes").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().to_string();
    let is_child = |number: &u32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields.split(' ').nth(1));
        fields == Some(Some(&parent))
    };
    numbers().filter(is_child).map(pid).collect()
}

/// The processes that bear the mark.
pub(crate) fn marked(mark: &str) -> Vec<Pid> {
    let mark = format!("DLOCK_TEST_MARK={mark}");
    let bears = |number: &u32| {
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    numbers().filter(bears).map(pid).collect()
}

/// Waits until so many processes bear the mark.
pub(crate) fn until_marked(mark: &str, count: usize) -> Vec<Pid> {
    until("such processes", || Some(marked(mark)).filter(|found| found.len() >= count))
}

/// Waits for the key as another machine would, and looks at once for what still bears the mark: nothing may.
pub(crate) fn nobody_is_left_when_the_key_is_free(url: &str, key: &str, mark: &str) {
    let look =
        format!(r#"grep -alsz "^DLOCK_TEST_MARK={mark}$" /proc/[0-9]*/environ; echo looked"#);
    let looker = run(url, key, &["--wait", "50s"], "looker", &look);
    let (status, seen, said) = output(looker);
    assert_eq!((status, seen.as_str()), (0, "looked\n"), "{said}");
}
