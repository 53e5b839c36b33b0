//! The signals that are meant for the command.

use crate::status::Failure;
use std::fs;
use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// `SIGHUP`, `SIGINT`, `SIGQUIT` and `SIGTERM`: whoever gets one is to end. Their numbers are the same
/// everywhere: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/kill.html>.
pub(crate) const ENDING: [i32; 4] = [1, 2, 3, 15];

/// Those of the ending ones that this process was not started without: `nohup` and a shell's `&` have some
/// ignored, for all that is started below.
pub(crate) fn heeded() -> Vec<i32> {
    let ignored = ignored();
    ENDING.into_iter().filter(|number| ignored & (1 << (number - 1)) == 0).collect()
}

/// A bit for each signal, as `/proc/self/status` tells it.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// The ending signals, as they come.
pub(crate) struct Heeded {
    listening: Vec<(i32, Signal)>,
    have_come: bool,
}

impl Heeded {
    /// From now on they end nothing by themselves, neither in the first process of a container nor elsewhere.
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |number| Ok((number, signal(SignalKind::from_raw(number))?));
        let listening = heeded().into_iter().map(listen).collect::<io::Result<_>>();
        let listening =
            listening.map_err(|error| Failure::system("listening to signals", &error))?;
        Ok(Self { listening, have_come: false })
    }

    /// The number of the next one.
    pub(crate) async fn next(&mut self) -> i32 {
        let number = poll_fn(|context| {
            let came = |(number, signal): &mut (i32, Signal)| {
                signal.poll_recv(context).is_ready().then_some(*number)
            };
            self.listening.iter_mut().find_map(came).map_or(Poll::Pending, Poll::Ready)
        });
        let number = number.await;
        self.have_come = true;
        number
    }

    /// Whether there was one.
    pub(crate) fn have_come(&self) -> bool {
        self.have_come
    }

    /// What comes of this, unless a signal comes first.
    pub(crate) async fn unless_one_comes<T>(
        &mut self,
        task: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            number = self.next() => Err(Failure::signal(number)),
            done = task => done,
        }
    }
}
