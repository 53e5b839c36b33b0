use crate::locks::bounds::{BUSY, median};
use std::env;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

/// How many tries there are of what must never happen; a tenth of them of what is only timed.
const TRIES: &str = "DLOCK_LOSSES";
/// The file to which rows are added: a table's name, a tabulator, and the cells of the row.
const FILE: &str = "DLOCK_LOSSES_FILE";
/// How many things happen at a time.
pub(super) const AT_ONCE: usize = 25;

/// How many tries there are of what must never happen.
pub(super) fn tries() -> usize {
    env::var(TRIES).ok().and_then(|tries| tries.parse().ok()).unwrap_or(10)
}

/// How many of what is timed.
pub(super) fn timed() -> usize {
    (tries() / 10).max(4)
}

/// As many as are left, and no more than may happen at a time.
pub(super) fn next(done: usize, of: usize) -> usize {
    (of - done).min(AT_ONCE)
}

/// Where the figures of an engine go.
pub(super) struct Figures {
    engine: String,
}

impl Figures {
    pub(super) fn new(engine: &str) -> Self {
        Self { engine: engine.to_owned() }
    }

    /// How late something was, and within how long it is to be.
    pub(super) fn times(&self, table: &str, what: &str, bound: Duration, times: Vec<Duration>) {
        let (count, worst) = (times.len(), times.iter().max().copied().unwrap_or_default());
        let typical = median(times);
        let [bound_is, median_was, worst_was] = [bound, typical, worst].map(shown);
        self.row(table, &[&what, &bound_is, &count, &median_was, &worst_was]);
        assert!(typical <= bound, "{what}: {typical:?} in the median");
        assert!(worst <= bound + BUSY, "{what}: {worst:?} at worst");
    }

    /// How long before the next holder a loss was told.
    pub(super) fn margins(&self, what: &str, margins: Vec<Duration>) {
        let least = margins.iter().min().copied().unwrap_or_default();
        self.row("margins", &[&what, &margins.len(), &0, &shown(least)]);
    }

    /// How many transactions the server refused.
    pub(super) fn refused(&self, what: &str, refused: usize) {
        self.row("fences", &[&what, &refused, &refused]);
    }

    fn row(&self, table: &str, cells: &[&dyn Display]) {
        let cells = Vec::from_iter(cells.iter().map(ToString::to_string)).join(" | ");
        let line = format!("{table}\t{} | {cells}", self.engine);
        println!("{}", line.replace('\t', ": "));
        let Some(path) = env::var_os(FILE) else { return };
        let file = OpenOptions::new().create(true).append(true).open(path);
        writeln!(file.expect("the file of figures"), "{line}").expect("a row");
    }
}

/// In the unit that reads best.
fn shown(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..10_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ if duration < Duration::from_secs(1) => format!("{} ms", duration.as_millis()),
        _ => format!("{}.{:02} s", duration.as_secs(), duration.subsec_millis() / 10),
    }
}
