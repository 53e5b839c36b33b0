//! `dlock key`: what a text is to each server.

use crate::args::Key;
use crate::status::{Failure, of_key};
use crate::table;
use dlock_db::{KeyError, mssql, mysql, oracle, postgres};
use serde::Serialize;

/// A key on each server; `None`, where it cannot be one.
#[derive(Serialize)]
struct Names {
    postgres: Option<String>,
    mysql: Option<String>,
    mssql: Option<String>,
    oracle: Option<String>,
}

/// Shows them. No server is asked.
pub(crate) fn key(key: &Key) -> Result<u8, Failure> {
    let text = key.key.as_str();
    let postgres = postgres::Key::from(text).number().to_string();
    let mysql = mysql::Key::try_from(text).map(|key| key.as_str().to_owned());
    let mssql = mssql::Key::try_from(text).map(|key| key.as_str().to_owned());
    let oracle = oracle::Key::from(text).id().to_string();
    if key.look.json {
        let (postgres, oracle) = (Some(postgres), Some(oracle));
        table::json(&Names { postgres, mysql: mysql.ok(), mssql: mssql.ok(), oracle })?;
    } else {
        let lines = format!("PostgreSQL      {postgres}\nMySQL, MariaDB  {}\n", shown(mysql));
        table::print(&format!(
            "{lines}SQL Server      {}\nOracle          {oracle}",
            shown(mssql)
        ))?;
    }
    Ok(0)
}

/// The numbers that servers which have no names know a text by.
pub(crate) fn numbers(text: &str) -> [String; 2] {
    [postgres::Key::from(text).number().to_string(), oracle::Key::from(text).id().to_string()]
}

fn shown(name: Result<String, KeyError>) -> String {
    match name {
        Ok(name) => table::printable(&name),
        Err(error) => format!("none: {}", of_key(&error)),
    }
}
