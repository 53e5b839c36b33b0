//! `dlock doctor` and `dlock setup`.

use crate::args::Look;
use crate::locks;
use crate::status::{BUSY, Failure};
use crate::table;
use crate::url::Source;
use dlock_locks::{Finding, Severity};
use serde::Serialize;

/// Locks lie here.
const FAULTY: u8 = 1;

/// A finding, for a program.
#[derive(Serialize)]
struct Shown<'a> {
    severity: &'static str,
    name: &'static str,
    what: &'a str,
    why: &'static str,
    advice: &'static str,
}

impl<'a> From<&'a Finding> for Shown<'a> {
    fn from(finding: &'a Finding) -> Self {
        let Finding { name, what, why, advice, .. } = finding;
        Self { severity: word(finding.severity), name, what, why, advice }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fault => "fault",
        Severity::Warning => "warning",
        _ => "note",
    }
}

/// Looks for what would make locks lie on this server.
pub(crate) async fn doctor(source: &Source, look: &Look) -> Result<u8, Failure> {
    let url = source.url()?;
    let locks = locks::later(&url, "dlock doctor")?;
    let found = locks.check().await.map_err(|error| locks::failure(&url, &error, BUSY))?;
    if look.json {
        table::json(&Vec::from_iter(found.iter().map(Shown::from)))?;
    } else if found.is_empty() {
        table::print("nothing was found: locks on this server hold what they promise")?;
    } else {
        let line = |it: &Finding| format!("{} ({}): {it}", word(it.severity), it.name);
        table::print(&url.hide(&Vec::from_iter(found.iter().map(line)).join("\n")))?;
    }
    let is_faulty = found.iter().any(|finding| finding.severity == Severity::Fault);
    Ok(if is_faulty { FAULTY } else { 0 })
}

/// Makes the tables of fences, where they are not there.
pub(crate) async fn setup(source: &Source) -> Result<u8, Failure> {
    let url = source.url()?;
    let locks = locks::later(&url, "dlock setup")?;
    locks.setup().await.map_err(|error| locks::failure(&url, &error, BUSY))?;
    Ok(0)
}
