//! Tables for the terminal.

use std::fmt::Write as _;

use super::number::{number, ratio};
use crate::figure::{Figure, Layout};

/// The table of one measure: a line for each subject, two columns for each layout.
pub(super) fn text(group: &[Figure]) -> String {
    let layouts = layouts(group);
    let mut text = head(&group[0]);
    let _ = write!(text, "{:<32}", "");
    for layout in &layouts {
        let _ = write!(text, "{:>12} {:>8}", layout.name(), "ratio");
    }
    text.push('\n');
    for subject in subjects(group) {
        let _ = writeln!(text, "{}", line(group, &layouts, subject));
    }
    text
}

fn head(first: &Figure) -> String {
    let unit = if first.unit.is_empty() { String::new() } else { format!(" [{}]", first.unit) };
    if first.layout == Layout::Neither {
        return format!("\n{}: {}{unit}\n", first.database.product(), first.measure);
    }
    let mut text = format!("\n{}: {}{unit}\n", first.database.title(), first.measure);
    if first.database.is_stand_in() {
        text +=
            "a stand-in answers: the driver's cost and ours, nothing about the vendor's server\n";
    }
    text
}

fn line(group: &[Figure], layouts: &[Layout], subject: &str) -> String {
    let mut line = format!("{subject:<32}");
    for layout in layouts {
        let is_it = |figure: &&Figure| figure.subject == subject && figure.layout == *layout;
        let Some(figure) = group.iter().find(is_it) else {
            let _ = write!(line, "{:>21}", "");
            continue;
        };
        let _ = write!(line, "{:>12} {:>8}", number(figure.value), ratio(figure.ratio));
    }
    let note =
        group.iter().find(|figure| figure.subject == subject).and_then(|it| it.note.as_ref());
    let _ = note.map(|note| write!(line, "  {note}"));
    line.trim_end().to_owned()
}

fn layouts(group: &[Figure]) -> Vec<Layout> {
    let all = [Layout::Pinned, Layout::Unpinned, Layout::Neither];
    all.into_iter().filter(|layout| group.iter().any(|figure| figure.layout == *layout)).collect()
}

fn subjects(group: &[Figure]) -> Vec<&str> {
    let mut subjects: Vec<&str> = Vec::new();
    for figure in group {
        if !subjects.contains(&figure.subject.as_str()) {
            subjects.push(&figure.subject);
        }
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::board::{Board, Fold};
    use crate::figure::Layout;
    use crate::place::Database;
    use crate::subject::RAW;

    #[test]
    fn a_subject_has_a_line_and_a_layout_two_columns() {
        let mut group = Vec::new();
        for layout in [Layout::Pinned, Layout::Unpinned] {
            let mut board = Board::new("pairs", "1/s");
            board.add(RAW, 1000.0);
            board.add("dlock", 950.0);
            board.note("peer", "fails");
            group.extend(board.figures(Database::Mssql, layout, Fold::Median));
        }
        let text = text(&group);
        let lines: Vec<&str> = text.trim().lines().collect();
        assert_eq!(lines[0], "SQL Server (a STAND-IN): pairs [1/s]");
        assert!(lines[1].starts_with("a stand-in answers"), "{text}");
        let words: Vec<&str> = lines[4].split_whitespace().collect();
        assert_eq!(words, ["dlock", "950", "0.950", "950", "0.950"]);
        assert!(lines[5].ends_with("fails"), "{text}");
    }
}
