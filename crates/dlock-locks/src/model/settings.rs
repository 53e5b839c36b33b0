use std::time::Duration;

/// What the model goes by.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How many sessions may be there to wait.
    pub(crate) max_waiting: usize,
    /// How many sessions there may be at all.
    pub(crate) max_sessions: usize,
    /// How many keys may be held or asked for.
    pub(crate) max_keys: usize,
    /// How many parts a batch has at most.
    pub(crate) max_batch: usize,
    /// How many batches of one session may be unanswered.
    pub(crate) in_flight: usize,
    /// After how long of silence the server ends a session.
    pub(crate) lease: Duration,
    /// How long a key stays in the process while others in it want it.
    pub(crate) stay: Duration,
    /// How long the server is asked to wait at a time, for a request that has waited for so long.
    pub(crate) slice: fn(Duration) -> Duration,
    /// The same while other keys want the session.
    pub(crate) turn: Duration,
    /// How often keys are tried that no session waits for.
    pub(crate) retry: Duration,
    /// After how long a session that nobody needs is closed.
    pub(crate) idle: Duration,
    /// How long a request goes on when no session can be opened.
    pub(crate) patience: Duration,
}

impl Settings {
    /// When a session that was last answered then is not trusted any more, counted from there.
    pub(crate) fn trust(&self) -> Duration {
        self.lease - self.lease / 10
    }

    /// How long a session may be silent before it is asked for a sign of life.
    pub(crate) fn ping(&self) -> Duration {
        self.lease / 3
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_waiting: 8,
            max_sessions: 33,
            max_keys: 1000,
            max_batch: 1000,
            in_flight: 2,
            lease: Duration::from_secs(10),
            stay: Duration::from_millis(100),
            slice: |_| Duration::from_millis(900),
            turn: Duration::from_millis(150),
            retry: Duration::from_millis(50),
            idle: Duration::from_secs(60),
            patience: Duration::from_secs(5),
        }
    }
}
