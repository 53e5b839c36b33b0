//! The goals for the terminal.

use std::fmt::Write as _;

use super::number::{number, ratio};
use crate::figure::Layout;
use crate::goal::Verdict;

/// The longest goal fits.
const WIDTH: usize = 72;

/// A line for each goal; nothing where none was measured.
pub(super) fn text(verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let mut text = "\ngoals (the layout that decides has a star)\n".to_owned();
    let _ = writeln!(text, "{:<WIDTH$}{:>9}{:>10}{:>10}", "", "goal", "pinned ", "unpinned ");
    for verdict in verdicts {
        let _ = writeln!(text, "{}", line(verdict));
    }
    text
}

fn line(verdict: &Verdict) -> String {
    let goal = format!("{}: {}", verdict.database.name(), verdict.goal);
    let [pinned, unpinned] =
        [(Layout::Pinned, verdict.pinned), (Layout::Unpinned, verdict.unpinned)].map(
            |(layout, value)| {
                let star = if verdict.judged == layout { "*" } else { " " };
                format!("{}{star}", value.map_or_else(|| number(None), |it| ratio(Some(it))))
            },
        );
    let bound = &verdict.bound;
    format!("{goal:<WIDTH$}{bound:>9}{pinned:>10}{unpinned:>10}  {}", word(verdict.is_met))
}

fn word(is_met: Option<bool>) -> &'static str {
    match is_met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "not measured",
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::figure::Layout;
    use crate::goal::Verdict;
    use crate::place::Database;

    #[test]
    fn a_missed_goal_is_loud() {
        let verdict = Verdict {
            database: Database::Mysql,
            goal: "pairs".to_owned(),
            bound: "≥ 0.95".to_owned(),
            pinned: Some(0.9),
            unpinned: None,
            judged: Layout::Pinned,
            is_met: Some(false),
        };
        let text = text(&[verdict]);
        let line = text.lines().last().expect("a line");
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["mysql:", "pairs", "≥", "0.95", "0.900*", "–", "MISSED"]);
    }

    #[test]
    fn without_goals_there_is_no_table() {
        assert_eq!(text(&[]), "");
    }
}
