//! `cargo xtask losses`: how late a loss is told, how long before another holds, and who leads then.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cargo::{cargo, root, run};

/// The drivers, and what tries them: the figures among their promises of `Locks`.
const PACKAGES: [&str; 4] = ["dlock-postgres", "dlock-mysql", "dlock-mssql", "dlock-oracle"];
/// What the tests know the number of tries by, and the file of rows.
const VARIABLES: [&str; 2] = ["DLOCK_LOSSES", "DLOCK_LOSSES_FILE"];

/// A table: by which name rows say that they are of it, what it is of, and its columns.
struct Table(&'static str, &'static str, &'static str);

const TABLES: [Table; 4] = [
    Table(
        "losses",
        "How late a holder is told",
        "server | what happened | told within | tries | median | worst",
    ),
    Table(
        "margins",
        "Told before another held",
        "server | what happened | tries | too late | least time between",
    ),
    Table(
        "fences",
        "Transactions of holders who went on when others held",
        "server | what happened | begun | refused",
    ),
    Table(
        "lead",
        "How long it is until another leads",
        "server | what happened | bound | tries | median | worst",
    ),
];

/// What the tests call a server, how people do, and the variable that names a real one.
const SERVERS: [(&str, &str, Option<&str>); 5] = [
    ("postgres", "PostgreSQL", None),
    ("mysql", "MySQL", None),
    ("mariadb", "MariaDB", None),
    ("mssql", "SQL Server", Some("DLOCK_MSSQL_URL")),
    ("oracle", "Oracle", Some("DLOCK_ORACLE_URL")),
];

/// Tries each loss so many times on every server, and prints tables in Markdown.
///
/// # Errors
/// Returns an error if a bound was not kept, or two held a key, or the tests do not build or cannot run.
pub(crate) fn losses(tries: u32) -> Result<()> {
    let rows = target().join("losses.rows");
    if rows.exists() {
        fs::remove_file(&rows)?;
    }
    let mut failed = Vec::new();
    for package in PACKAGES {
        let arguments = ["test", "--quiet", "--package", package, "--test", "locks_promises"];
        let mut command = cargo(&arguments);
        command.args(["--", "losses::", "--test-threads", "1"]);
        command.env(VARIABLES[0], tries.to_string()).env(VARIABLES[1], &rows);
        failed.extend(run(&mut command).err().map(|error| format!("{package}: {error}")));
    }
    let tables = tables(&fs::read_to_string(&rows).context("there are no figures")?);
    let path = target().join("losses.md");
    fs::write(&path, &tables)?;
    println!("{tables}\nwritten to {}", path.display());
    anyhow::ensure!(failed.is_empty(), "not all was as promised: {}", failed.join("; "));
    Ok(())
}

fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| root().join("target"))
}

fn tables(rows: &str) -> String {
    let table = |Table(name, title, columns): &Table| {
        let prefix = format!("{name}\t");
        let rows = rows.lines().filter_map(|row| row.strip_prefix(&prefix)).map(named);
        let line = "---|".repeat(columns.split('|').count());
        let body = rows.map(|row| format!("| {row} |\n")).collect::<String>();
        format!("### {title}\n\n| {columns} |\n|{line}\n{body}\n")
    };
    TABLES.iter().map(table).collect()
}

/// The row, with the server's own name.
fn named(row: &str) -> String {
    let (server, rest) = row.split_once(" | ").unwrap_or((row, ""));
    let known = SERVERS.iter().find(|(name, ..)| *name == server);
    let Some((_, name, variable)) = known else { return row.to_owned() };
    let is_stand_in = variable.is_some_and(|variable| env::var_os(variable).is_none());
    format!("{name}{} | {rest}", if is_stand_in { " (stand-in)" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::tables;

    #[test]
    fn rows_go_to_their_tables() {
        let rows = "losses\tpostgres | kill | 50 ms | 2 | 1.0 ms | 2.0 ms\n\
                    fences\tmariadb | silence | 3 | 3\n";
        let tables = tables(rows);
        let [losses, _, fences, _] = Vec::from_iter(tables.split("###").skip(1))[..] else {
            panic!("four tables: {tables}");
        };
        assert!(losses.contains("| PostgreSQL | kill | 50 ms | 2 | 1.0 ms | 2.0 ms |\n"));
        assert!(fences.contains("|---|---|---|---|\n| MariaDB | silence | 3 | 3 |\n"));
    }
}
