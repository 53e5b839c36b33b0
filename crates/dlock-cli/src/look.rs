//! `dlock list`, `dlock who` and `dlock free`.

use crate::args::{Free, Key, Look};
use crate::locks::{self, Locks};
use crate::status::{BUSY, Failure, USAGE};
use crate::table::{self, Row};
use crate::url::{Source, Url};
use std::io::{self, IsTerminal, Write};

/// Nobody holds the key.
const NOBODY: u8 = 1;

/// Shows who holds and who waits.
pub(crate) async fn list(source: &Source, look: &Look) -> Result<u8, Failure> {
    let url = source.url()?;
    let locks = locks::later(&url, "dlock list")?;
    let holders = locks.holders().await.map_err(|error| locks::failure(&url, &error, BUSY))?;
    table::show(&table::rows(holders), look.json)?;
    Ok(0)
}

/// Shows who holds this key and who waits for it.
pub(crate) async fn who(source: &Source, key: &Key) -> Result<u8, Failure> {
    let url = source.url()?;
    let rows = of_key(&url, &locks::later(&url, "dlock who")?, &key.key).await?;
    if key.look.json || !rows.is_empty() {
        table::show(&rows, key.look.json)?;
    }
    match rows.iter().any(Row::holds) {
        true => Ok(0),
        false => Err(nobody(&key.key)),
    }
}

async fn of_key(url: &Url, locks: &Locks, key: &str) -> Result<Vec<Row>, Failure> {
    let holders = locks.holder(key).await;
    let mut rows = table::rows(holders.map_err(|error| locks::failure(url, &error, BUSY))?);
    rows.iter_mut().for_each(|row| row.name = Some(key.to_owned()));
    Ok(rows)
}

async fn holding(url: &Url, locks: &Locks, key: &str) -> Result<Vec<Row>, Failure> {
    let mut rows = of_key(url, locks, key).await?;
    rows.retain(Row::holds);
    if rows.is_empty() { Err(nobody(key)) } else { Ok(rows) }
}

fn nobody(key: &str) -> Failure {
    Failure::new(NOBODY, format!("nobody holds {key}"))
}

/// Ends the sessions that hold a key, after showing what ends with them.
pub(crate) async fn free(source: &Source, free: &Free) -> Result<u8, Failure> {
    let url = source.url()?;
    let locks = locks::later(&url, "dlock free")?;
    let holding = holding(&url, &locks, &free.key).await?;
    if !free.yes {
        show_ending(&locks, &holding, free).await?;
        ask()?;
        still(&url, &locks, &holding, &free.key).await?;
    }
    let freed = locks.free(free.key.as_str()).await;
    let freed = table::rows(freed.map_err(|error| locks::failure(&url, &error, BUSY))?);
    if free.look.json || free.yes {
        table::show(&table::named(freed, &holding[0].key, &free.key), free.look.json)?;
    }
    Ok(0)
}

/// Shows all that the sessions hold and wait for. Where not all keys can be seen, it is this one.
async fn show_ending(locks: &Locks, holding: &[Row], free: &Free) -> Result<(), Failure> {
    let all = locks.holders().await.map(table::rows).unwrap_or_else(|_| holding.to_vec());
    let mut ending = table::named(all, &holding[0].key, &free.key);
    ending.retain(|row| sessions(holding).contains(&row.session.as_str()));
    if free.look.json {
        table::show_aside(&ending);
        return Ok(());
    }
    table::show(&ending, false)
}

fn sessions(rows: &[Row]) -> Vec<&str> {
    let mut sessions = Vec::from_iter(rows.iter().map(|row| row.session.as_str()));
    sessions.sort_unstable();
    sessions.dedup();
    sessions
}

/// Whether those that were shown hold it still: the answer to a question takes its time.
async fn still(url: &Url, locks: &Locks, shown: &[Row], key: &str) -> Result<(), Failure> {
    let now = holding(url, locks, key).await?;
    match sessions(&now) == sessions(shown) {
        true => Ok(()),
        false => Err(Failure::new(NOBODY, "others hold it by now, so nothing was ended")),
    }
}

/// `Err`: no.
fn ask() -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(USAGE, "there is nobody to ask; say --yes to end these sessions"));
    }
    // Nobody may be there to read it; then nobody answers.
    let _ = write!(io::stderr(), "End these sessions, with all that they hold? [y/N] ");
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| Failure::system("reading", &error))?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Failure::new(NOBODY, "nothing was ended")),
    }
}
