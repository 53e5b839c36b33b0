//! The findings as tables on the terminal, as JSON and as charts.

mod chart;
mod goals;
mod number;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::figure::Figure;
use crate::findings::Findings;
use crate::place::Database;

/// Prints the tables, and writes the files into `dir`.
pub(crate) fn write(findings: &Findings, dir: &Path) -> Result<()> {
    let groups = groups(&findings.figures);
    let text = text(findings, &groups);
    print!("\n{text}");
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    fs::write(dir.join("figures.json"), serde_json::to_string_pretty(findings)? + "\n")?;
    fs::write(dir.join("figures.txt"), text)?;
    for group in groups.iter().filter(|group| chart::is_worth_one(group)) {
        chart::draw(group, dir)?;
    }
    println!("\nwritten to {}", dir.display());
    Ok(())
}

/// The machine, the goals, and a table of each measure.
fn text(findings: &Findings, groups: &[Vec<Figure>]) -> String {
    let facts = findings.machine.iter().map(|(name, value)| format!("{name:<20} {value}\n"));
    let goals = std::iter::once(goals::text(&findings.goals));
    facts.chain(goals).chain(groups.iter().map(|group| table::text(group))).collect()
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
    groups.sort_by_key(|group| group[0].database);
    groups
}

fn name(figure: &Figure) -> (Database, &str) {
    (figure.database, &figure.measure)
}

#[cfg(test)]
mod tests {
    use super::groups;
    use crate::board::{Board, Fold};
    use crate::figure::Layout;
    use crate::place::Database;

    #[test]
    fn a_group_is_a_measure_of_a_database_in_all_layouts() {
        let mut board = Board::new("pairs", "1/s");
        board.add("dlock", 1.0);
        let figures: Vec<_> = [
            (Database::Mysql, Layout::Pinned),
            (Database::Postgres, Layout::Pinned),
            (Database::Mysql, Layout::Unpinned),
        ]
        .into_iter()
        .flat_map(|(database, layout)| board.figures(database, layout, Fold::Median))
        .collect();
        let found: Vec<_> =
            groups(&figures).iter().map(|group| (group[0].database, group.len())).collect();
        assert_eq!(found, [(Database::Postgres, 1), (Database::Mysql, 2)]);
    }
}
