use super::task::Work;
use crate::model::Settings;
use std::time::Duration;

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: usize,
    /// The work of each kind of task, and how many there are in each process.
    pub(crate) tasks: Vec<(Work, Vec<usize>)>,
    pub(crate) settings: Settings,
    /// How long a message and its answer take.
    pub(crate) round_trip: Duration,
    pub(crate) seed: u64,
    /// A session is killed so often, one drawn from all.
    pub(crate) kills: Option<Duration>,
    /// The network of a session is cut so often.
    pub(crate) cuts: Option<Duration>,
    /// A process stands still so often, for up to this long.
    pub(crate) stalls: Option<(Duration, Duration)>,
    /// One batch in so many is interrupted after half of it.
    pub(crate) interrupts: Option<u32>,
    /// The server takes so many sessions.
    pub(crate) max_connections: usize,
    /// Nothing new is begun after this.
    pub(crate) limit: Duration,
}

impl Plan {
    pub(crate) fn new(processes: usize, tasks: Vec<(Work, Vec<usize>)>) -> Self {
        Self {
            processes,
            tasks,
            settings: Settings::default(),
            round_trip: Duration::from_micros(400),
            seed: 1,
            kills: None,
            cuts: None,
            stalls: None,
            interrupts: None,
            max_connections: usize::MAX,
            limit: Duration::from_secs(1000),
        }
    }
}
