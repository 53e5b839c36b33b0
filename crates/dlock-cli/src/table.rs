//! Who holds and who waits, as people and programs read it.

use crate::locks::Holder;
use crate::status::Failure;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use std::io::{self, Write};
use std::time::Duration;

pub(crate) const HEADER: [&str; 8] =
    ["KEY", "MODE", "STATE", "SESSION", "USER", "HOST", "APPLICATION", "SINCE"];
const HOLDS: &str = "holds";
/// For what the server does not know, or does not show to this user.
const UNKNOWN: &str = "?";

/// A line of it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Row {
    /// As the server knows it.
    pub(crate) key: String,
    /// As it was asked for.
    #[serde(skip)]
    pub(crate) name: Option<String>,
    pub(crate) mode: String,
    pub(crate) state: &'static str,
    pub(crate) session: String,
    pub(crate) user: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) application: Option<String>,
    pub(crate) since_seconds: Option<f64>,
}

impl From<Holder> for Row {
    fn from(holder: Holder) -> Self {
        Self {
            key: holder.key.to_string(),
            name: None,
            mode: holder.mode.to_string(),
            state: if holder.is_waiting { "waits" } else { HOLDS },
            session: holder.session,
            user: holder.user,
            host: holder.host,
            application: holder.application,
            since_seconds: holder.since.map(seconds),
        }
    }
}

impl Row {
    pub(crate) fn cells(&self) -> [String; 8] {
        let known = |text: &Option<String>| text.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        let (user, host, application) =
            (known(&self.user), known(&self.host), known(&self.application));
        let (mode, state) = (self.mode.clone(), self.state.to_owned());
        let since = self.since_seconds.map_or_else(|| UNKNOWN.to_owned(), since);
        [self.key(), mode, state, self.session.clone(), user, host, application, since]
            .map(|cell| printable(&cell))
    }

    /// By its name first.
    fn key(&self) -> String {
        match &self.name {
            Some(name) if *name != self.key => format!("{name} ({})", self.key),
            _ => self.key.clone(),
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.state == HOLDS
    }
}

/// Servers count in milliseconds at best.
fn seconds(since: Duration) -> f64 {
    (since.as_secs_f64() * 1e3).round() / 1e3
}

/// Keys are others' texts: they may not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '\u{FFFD}' } else { it }).collect()
}

fn since(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    humantime::format_duration(Duration::from_secs(whole)).to_string()
}

/// Holders first, then those who wait, key by key.
pub(crate) fn rows(holders: Vec<Holder>) -> Vec<Row> {
    let mut rows = Vec::from_iter(holders.into_iter().map(Row::from));
    rows.sort_by(|one, other| (&one.key, one.state).cmp(&(&other.key, other.state)));
    rows
}

/// The same, where those of this key are called by the name that was asked for.
pub(crate) fn named(mut rows: Vec<Row>, key: &str, name: &str) -> Vec<Row> {
    rows.iter_mut().filter(|row| row.key == key).for_each(|row| row.name = Some(name.to_owned()));
    rows
}

/// Shows them, as a table or for a program.
pub(crate) fn show(rows: &[Row], as_json: bool) -> Result<(), Failure> {
    if as_json { json(&rows) } else { print(&lines(rows)) }
}

/// The same beside what a program reads. Nobody may be there to read it.
pub(crate) fn show_aside(rows: &[Row]) {
    let _ = writeln!(io::stderr(), "{}", lines(rows));
}

fn lines(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(HEADER).add_rows(rows.iter().map(Row::cells));
    table.trim_fmt()
}

/// Shows something to a program.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(io::Error::from);
    print(&text.map_err(|error| Failure::system("writing", &error))?)
}

/// Writes lines on standard output. A reader that has seen enough is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::system("writing", &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dlock_locks::Mode;

    #[test]
    fn a_key_does_not_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\u{FFFD}[2Jb\u{FFFD}");
    }

    #[test]
    fn a_key_is_called_as_it_was_asked_for() {
        let row = |key: &str| Row::from(Holder::new(key.into(), Mode::Exclusive, false, "1"));
        let rows = named(vec![row("7"), row("8"), row("report")], "7", "report");
        assert_eq!(Vec::from_iter(rows.iter().map(Row::key)), ["report (7)", "8", "report"]);
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(since(3725.9), "1h 2m 5s");
        assert_eq!(since(-0.1), "0s");
    }
}
