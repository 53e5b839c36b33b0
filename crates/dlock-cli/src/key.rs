//! `dlock key`: what a text is to each server.

use crate::args::Key;
use crate::status::{Failure, chain};
use crate::table;
use dlock_db::{KeyError, mssql, mysql, oracle, postgres};
use serde::Serialize;

/// A key on each server; why not, where it cannot be one.
#[derive(Serialize)]
struct Names {
    postgres: String,
    mysql: String,
    mssql: String,
    oracle: String,
}

/// Shows them. No server is asked.
pub(crate) fn key(key: &Key) -> Result<u8, Failure> {
    let text = key.key.as_str();
    let names = Names {
        postgres: postgres::Key::from(text).number().to_string(),
        mysql: name(mysql::Key::try_from(text).map(|key| key.as_str().to_owned())),
        mssql: name(mssql::Key::try_from(text).map(|key| key.as_str().to_owned())),
        oracle: oracle::Key::from(text).id().to_string(),
    };
    if key.look.json {
        table::json(&names)?;
    } else {
        let Names { postgres, mysql, mssql, oracle } = names;
        let lines = format!("PostgreSQL      {postgres}\nMySQL, MariaDB  {mysql}\n");
        table::print(&format!("{lines}SQL Server      {mssql}\nOracle          {oracle}"))?;
    }
    Ok(0)
}

fn name(name: Result<String, KeyError>) -> String {
    name.unwrap_or_else(|error| format!("none: {}", chain(&error)))
}
