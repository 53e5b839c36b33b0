//! Tables for the terminal.

use std::fmt::Write as _;

use crate::figure::{Figure, Layout};

/// The table of one measure: a line for each subject, two columns for each layout.
pub(super) fn text(group: &[Figure]) -> String {
    let first = &group[0];
    let unit = if first.unit.is_empty() { String::new() } else { format!(" [{}]", first.unit) };
    let mut text = format!("\n{}: {}{unit}\n", first.database.name(), first.measure);
    let layouts = layouts(group);
    let _ = write!(text, "{:<32}", "");
    for layout in &layouts {
        let _ = write!(text, "{:>12} {:>8}", layout.name(), "by raw");
    }
    text.push('\n');
    for subject in subjects(group) {
        let _ = writeln!(text, "{}", line(group, &layouts, subject));
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
        if let Some(note) = &figure.note {
            let _ = write!(line, "  {note}");
        }
    }
    line.trim_end().to_owned()
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.3}"))
}

fn layouts(group: &[Figure]) -> Vec<Layout> {
    let all = [Layout::Pinned, Layout::Unpinned];
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
