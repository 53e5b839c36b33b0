//! The findings as tables on the terminal, as JSON and as charts.

mod chart;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::figure::{Figure, Findings};
use crate::place::Database;

/// Prints the tables, and writes the files into `dir`.
pub(crate) fn write(findings: &Findings, dir: &Path) -> Result<()> {
    for (name, value) in &findings.machine {
        println!("{name:<20} {value}");
    }
    let groups = groups(&findings.figures);
    for group in &groups {
        print!("{}", table::text(group));
    }
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    fs::write(dir.join("figures.json"), serde_json::to_string_pretty(findings)? + "\n")?;
    for group in groups.iter().filter(|group| chart::is_worth_one(group)) {
        chart::draw(group, dir)?;
    }
    println!("\nwritten to {}", dir.display());
    Ok(())
}

/// The figures of one measure of one database, in both layouts.
fn groups(figures: &[Figure]) -> Vec<Vec<Figure>> {
    let mut groups: Vec<Vec<Figure>> = Vec::new();
    for figure in figures {
        let group = groups.iter_mut().find(|group| name(&group[0]) == name(figure));
        match group {
            Some(group) => group.push(figure.clone()),
            None => groups.push(vec![figure.clone()]),
        }
    }
    groups.sort_by_key(|group| order(group[0].database));
    groups
}

fn name(figure: &Figure) -> (Database, &str) {
    (figure.database, &figure.measure)
}

fn order(database: Database) -> u8 {
    match database {
        Database::Postgres => 0,
        Database::Mysql => 1,
        Database::Mariadb => 2,
    }
}
