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
    let is_held = rows.iter().any(|row| row.state == "holds");
    if key.look.json || !rows.is_empty() {
        table::show(&rows, key.look.json)?;
    }
    match is_held {
        true => Ok(0),
        false => Err(Failure::new(NOBODY, format!("nobody holds {}", key.key))),
    }
}

async fn of_key(url: &Url, locks: &Locks, key: &str) -> Result<Vec<Row>, Failure> {
    let holders = locks.holder(key).await;
    Ok(table::rows(holders.map_err(|error| locks::failure(url, &error, BUSY))?))
}

/// Ends the sessions that hold a key, after showing what ends with them.
pub(crate) async fn free(source: &Source, free: &Free) -> Result<u8, Failure> {
    let url = source.url()?;
    let locks = locks::later(&url, "dlock free")?;
    let failed = |error| locks::failure(&url, &error, BUSY);
    let mut holding = of_key(&url, &locks, &free.key).await?;
    holding.retain(|row| row.state == "holds");
    if holding.is_empty() {
        return Err(Failure::new(NOBODY, format!("nobody holds {}", free.key)));
    }
    if !free.yes {
        let mut ending = table::rows(locks.holders().await.map_err(failed)?);
        ending.retain(|row| holding.iter().any(|holder| holder.session == row.session));
        table::show(&ending, false)?;
        ask()?;
    }
    let freed = locks.free(free.key.as_str()).await.map_err(failed)?;
    if free.look.json || free.yes {
        table::show(&table::rows(freed), free.look.json)?;
    }
    Ok(0)
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
