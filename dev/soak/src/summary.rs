//! What a run comes to.

use crate::event::{Counts, Kind};
use crate::ground::Ground;
use crate::record::Told;
use crate::supervisor::Plan;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// A run, summed up.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What all random numbers started from.
    pub seed: u64,
    /// How long it took.
    pub seconds: u64,
    /// Processes at a time, and tasks in each per server.
    pub workers: (usize, u64),
    /// The servers, each with its version where it was started here.
    pub servers: BTreeMap<Kind, String>,
    /// How often each thing happened.
    pub counts: Counts,
    /// The longest that a bounded call outlasted its wait, in milliseconds, by server.
    pub slowest: Counts,
    /// The promises that were broken.
    pub violations: Vec<String>,
}

impl Summary {
    pub(crate) fn new(plan: &Plan, took: Duration, grounds: &[Ground], told: Told) -> Self {
        let Told { counts, slowest, mut violations } = told;
        for kind in &plan.kinds {
            let is_one = |what: &String| {
                what.starts_with(&kind.to_string()) && what.ends_with("critical sections")
            };
            if !counts.keys().any(is_one) {
                violations.push(format!("{kind}: no critical section at all: nothing was proved"));
            }
        }
        let servers = grounds.iter().map(|ground| (ground.kind, ground.version()));
        let workers = (plan.workers, plan.tasks);
        let (seed, seconds, servers) = (plan.seed, took.as_secs(), servers.collect());
        Self { seed, seconds, workers, servers, counts, slowest, violations }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nseed {}, {} s, servers {:?}", self.seed, self.seconds, self.servers)?;
        writeln!(f, "{} processes, {} tasks each per server\n", self.workers.0, self.workers.1)?;
        for (what, count) in &self.counts {
            writeln!(f, "{count:>10}  {what}")?;
        }
        for (kind, millis) in &self.slowest {
            writeln!(f, "{millis:>7} ms  {kind}: the longest that a call outlasted its wait")?;
        }
        writeln!(f, "\n{} violations", self.violations.len())?;
        self.violations.iter().try_for_each(|what| writeln!(f, "  {what}"))
    }
}
