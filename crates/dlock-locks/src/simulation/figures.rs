use std::fmt;
use std::time::Duration;

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) end: Duration,
    /// How long each request waited that was granted, shortest first.
    pub(crate) waits: Vec<Duration>,
    pub(crate) timed_out: usize,
    pub(crate) refused: usize,
    pub(crate) lost: usize,
    pub(crate) upgraded: usize,
    pub(crate) statements: usize,
    /// The most sessions of one process at a time.
    pub(crate) sessions: usize,
    /// How often each kind of task was served.
    pub(crate) served: Vec<usize>,
}

impl Figures {
    pub(crate) fn mean(&self) -> Duration {
        self.waits.iter().sum::<Duration>() / u32::try_from(self.waits.len().max(1)).unwrap()
    }

    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let mut waits = self.waits.clone();
        waits.sort();
        let last = waits.len().saturating_sub(1);
        let place = (0..=last).find(|place| small(*place) >= part * small(last));
        place.and_then(|place| waits.get(place)).copied().unwrap_or_default()
    }

    pub(crate) fn longest(&self) -> Duration {
        self.quantile(1.0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [end, mean, p99, longest] =
            [self.end, self.mean(), self.quantile(0.99), self.longest()].map(|it| it.as_secs_f64());
        write!(
            f,
            "{end:.2} s, {} grants, waits mean {mean:.3} p99 {p99:.3} longest {longest:.3} s, \
             {} timed out, {} refused, {} lost, {} statements, {} sessions, served {:?}",
            self.waits.len(),
            self.timed_out,
            self.refused,
            self.lost,
            self.statements,
            self.sessions,
            self.served,
        )
    }
}

fn small(number: usize) -> f64 {
    u32::try_from(number).map(f64::from).expect("a small number")
}
