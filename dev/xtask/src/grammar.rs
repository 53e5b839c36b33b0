//! Statements checked by grammars that are not ours.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cargo::{root, run};

/// The batches of the SQL Server driver, by sqlfluff's T-SQL grammar, in an environment of its own.
pub(crate) fn tsql() -> Result<()> {
    let place = root().join("target/sqlfluff");
    let python = place.join("bin/python");
    if !python.is_file() {
        let made = Command::new("python3").args(["-m", "venv"]).arg(&place).status();
        let made = made.context("python3 is not on this machine: install python3-venv")?;
        ensure!(made.success(), "python3 has no venv module here: install python3-venv");
    }
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "sqlfluff"]))?;
    run(Command::new(&python).arg("crates/dlock-mssql/tests/sql.py").current_dir(root()))
}

/// The blocks of the Oracle driver, by an ANTLR grammar. Said to be not run where npm is missing.
pub(crate) fn plsql() -> Result<()> {
    let place = root().join("crates/dlock-oracle/check");
    if npm(&place, &["--version"]).output().is_err() {
        println!("not run: npm is not on this machine");
        return Ok(());
    }
    run(&mut npm(&place, &["install", "--silent"]))?;
    run(&mut npm(&place, &["run", "--silent", "check"]))
}

fn npm(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(place);
    command
}
