//! Three processes of `Locks`, whose faults are not told to them beforehand.

use std::env;
use std::process::Stdio;
use std::time::Instant;

use dlock_postgres::Locks;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::{Clock, Result, millis};

const KEY: &str = "nightly";
/// What a process writes when it holds the key.
const HOLDS: &str = "holds the key";

/// One of the processes: waits for the key, and works until it is told to end or the lock is lost.
pub(crate) async fn worker(url: &str) -> Result<()> {
    let locks = Locks::connect(url).await?;
    let held = locks.lock(KEY).await?;
    println!("{HOLDS}");
    // Work of some hours, or until nobody wants it any more.
    let work = async { tokio::io::stdin().read_to_end(&mut Vec::new()).await };
    match held.run_until_lost(work).await {
        Ok(worked) => {
            worked?;
            held.release().await?;
            println!("has worked, and released it");
        }
        Err(lost) => println!("has dropped its work: {lost}"),
    }
    Ok(())
}

/// A process that was started here, and what it writes.
struct Process {
    name: &'static str,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    clock: Clock,
}

impl Process {
    fn start(name: &'static str, url: &str, clock: Clock) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["worker", url]).kill_on_drop(true);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("a process without output")?;
        clock.tell(name, &format!("is process {}, and asks", child.id().unwrap_or_default()));
        Ok(Self { name, child, lines: BufReader::new(stdout).lines(), clock })
    }

    /// Passes the next line on.
    async fn tells(&mut self) -> Result<Instant> {
        let line = self.lines.next_line().await?.ok_or("a process has ended without a word")?;
        self.clock.tell(self.name, &line);
        Ok(Instant::now())
    }
}

/// Waits until one holds and so many wait in the server's queue.
async fn queued(locks: &Locks, waiting: usize) -> Result<()> {
    while locks.holder(KEY).await?.iter().filter(|it| it.is_waiting).count() < waiting {}
    Ok(())
}

/// A process is killed, a session is ended: who takes over, and when.
pub(crate) async fn show(url: &str) -> Result<()> {
    println!("\nnow Locks, which owns its sessions: processes, one key: {KEY}\n");
    let locks = Locks::connect(url).await?;
    let clock = Clock(Instant::now());
    let mut alice = Process::start("alice", url, clock)?;
    alice.tells().await?;
    let mut bob = Process::start("bob", url, clock)?;
    queued(&locks, 1).await?;
    clock.tell("server", "one holds, one waits in its queue");

    clock.tell("demo", "kills alice's process (SIGKILL)");
    let killed = Instant::now();
    alice.child.kill().await?;
    let taken = bob.tells().await?.saturating_duration_since(killed);

    let mut carol = Process::start("carol", url, clock)?;
    queued(&locks, 1).await?;
    clock.tell("demo", "ends the session that bob holds the key on, as an administrator might");
    let ended = Instant::now();
    let (freed, told, next) = tokio::join!(locks.free(KEY), bob.tells(), carol.tells());
    freed?;
    let (told, next) = (told? - ended, next? - ended);
    bob.child.wait().await?;

    drop(carol.child.stdin.take());
    carol.tells().await?;
    carol.child.wait().await?;
    println!("\nbob held the key {:.1} ms after alice was killed;", millis(taken));
    println!(
        "he knew of his loss after {:.1} ms, and carol had it after {:.1} ms",
        millis(told),
        millis(next)
    );
    Ok(())
}
