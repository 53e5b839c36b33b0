//! All that one run found.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;
use crate::goal::Verdict;

/// The machine, the figures, and the goals that they meet or miss.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) machine: Vec<(String, String)>,
    pub(crate) goals: Vec<Verdict>,
    pub(crate) figures: Vec<Figure>,
}

impl Findings {
    /// Judges the figures.
    pub(crate) fn new(machine: Vec<(String, String)>, mut figures: Vec<Figure>) -> Self {
        let goals = crate::goal::judge(&figures);
        figures.iter_mut().for_each(|figure| figure.values.clear());
        Self { machine, goals, figures }
    }
}

#[cfg(test)]
mod tests {
    use super::Findings;
    use crate::board::{Board, Fold};
    use crate::figure::Layout;
    use crate::place::Database;
    use crate::subject::RAW;

    #[test]
    fn findings_come_back_from_json_without_the_rounds() {
        let mut board = Board::new("pairs, 1 connection", "1/s");
        board.add(RAW, 10.5);
        board.note("none", "no such call");
        let figures = board.figures(Database::Mssql, Layout::Pinned, Fold::Median);
        let findings = Findings::new(vec![("cores".to_owned(), "2".to_owned())], figures);
        let text = serde_json::to_string(&findings).expect("JSON");
        let back: Findings = serde_json::from_str(&text).expect("findings");
        assert_eq!(serde_json::to_string(&back).expect("JSON"), text);
        assert_eq!((back.figures[0].value, back.figures[0].values.len()), (Some(10.5), 0));
        assert_eq!(back.figures[1].note.as_deref(), Some("no such call"));
    }
}
