//! What the figures ought to be.

use serde::{Deserialize, Serialize};

use crate::figure::{Figure, Layout, ratio};
use crate::measure::{
    ACQUIRE_TRIPS, HAND_OVER, MANY_KEYS, ONE_KEY, ONE_KEY_MEMORY, ONE_KEY_SESSIONS, PAIR_BYTES,
    PAIR_TRIPS, PAIRS, PAIRS_OF_EIGHT, RELEASE_TRIPS, WAIT_FREE, WORK,
};
use crate::place::Database;
use crate::subject::{
    IDEAL, LAYER, LENT, LONE, OWNED, PLAIN, PREPARED, RAW, RAW_LATER, RAW_PREPARED, SQLX, TYPED,
};

/// What a value is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Exactly(f64),
}

impl Bound {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(bound) => value >= bound,
            Self::AtMost(bound) => value <= bound,
            Self::Exactly(bound) => (value - bound).abs() < f64::EPSILON,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound}"),
            Self::AtMost(bound) => format!("≤ {bound}"),
            Self::Exactly(bound) => format!("= {bound}"),
        }
    }
}

/// A goal: a subject's value, by that of another subject if there is one.
#[derive(Clone, Copy, Debug)]
struct Goal {
    measure: &'static str,
    subject: &'static str,
    /// The start of the other's name.
    by: Option<&'static str>,
    bound: Bound,
    /// The layout that decides: pinned for code, also a peer's; unpinned for what users see. On one
    /// connection that is mostly the system's doing: see *loopback alone* in the tables.
    layout: Layout,
}

impl Goal {
    const fn new(measure: &'static str, subject: &'static str, bound: Bound) -> Self {
        Self { measure, subject, by: None, bound, layout: Layout::Unpinned }
    }

    const fn by(self, other: &'static str, layout: Layout) -> Self {
        Self { by: Some(other), layout, ..self }
    }

    fn value(&self, figures: &[&Figure], layout: Layout) -> Option<f64> {
        let find = |name: &str| {
            figures.iter().find(|figure| {
                figure.measure == self.measure
                    && figure.layout == layout
                    && figure.subject.starts_with(name)
            })
        };
        let subject = find(self.subject)?;
        match self.by {
            Some(other) => ratio(&subject.values, &find(other)?.values),
            None => subject.value,
        }
    }

    fn judge(&self, database: Database, figures: &[&Figure]) -> Option<Verdict> {
        let [pinned, unpinned] =
            [Layout::Pinned, Layout::Unpinned].map(|layout| self.value(figures, layout));
        pinned.or(unpinned)?;
        let value = if self.layout == Layout::Pinned { pinned } else { unpinned };
        Some(Verdict {
            database,
            goal: self.text(),
            bound: self.bound.text(),
            pinned,
            unpinned,
            judged: self.layout,
            is_met: value.map(|value| self.bound.is_met(value)),
        })
    }

    fn text(&self) -> String {
        let short = |name: &'static str| match name {
            RAW | RAW_LATER | RAW_PREPARED => "the raw driver",
            _ => name,
        };
        let by = self.by.map_or_else(String::new, |other| format!(" by {}", short(other)));
        format!("{}: {}{by}", self.measure, self.subject)
    }
}

/// A goal, and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) database: Database,
    pub(crate) goal: String,
    pub(crate) bound: String,
    pub(crate) pinned: Option<f64>,
    pub(crate) unpinned: Option<f64>,
    pub(crate) judged: Layout,
    /// `None` where the layout that decides was not measured.
    pub(crate) is_met: Option<bool>,
}

/// Judges every goal that was measured.
pub(crate) fn judge(figures: &[Figure]) -> Vec<Verdict> {
    let judged = <Database as clap::ValueEnum>::value_variants().iter().flat_map(|database| {
        let of: Vec<&Figure> = figures.iter().filter(|it| it.database == *database).collect();
        goals(*database).into_iter().filter_map(move |goal| goal.judge(*database, &of))
    });
    judged.collect()
}

const DISTRIBUTED: &str = "distributed-lock";
const PYTHON: &str = "sqlalchemy-dlock";

fn goals(database: Database) -> Vec<Goal> {
    let own: &[Goal] = match database {
        Database::Postgres => &POSTGRES,
        Database::Mysql | Database::Mariadb => &MYSQL,
        Database::Mssql => &MSSQL,
        Database::Oracle => &ORACLE,
    };
    own.iter().chain(&EVERYWHERE).copied().collect()
}

const EVERYWHERE: [Goal; 4] = [
    Goal::new(ACQUIRE_TRIPS, OWNED, Bound::Exactly(1.0)),
    Goal::new(RELEASE_TRIPS, OWNED, Bound::Exactly(1.0)),
    Goal::new(PAIR_TRIPS, LENT, Bound::Exactly(2.0)),
    // Else the other goals compare different things.
    Goal::new(PAIR_BYTES, LENT, Bound::Exactly(1.0)).by(RAW, Layout::Unpinned),
];

const POSTGRES: [Goal; 15] = [
    Goal::new(WAIT_FREE, LAYER, Bound::AtLeast(0.9)).by(LONE, Layout::Pinned),
    Goal::new(MANY_KEYS, LAYER, Bound::AtLeast(20.0)).by(LONE, Layout::Unpinned),
    Goal::new(MANY_KEYS, LAYER, Bound::AtLeast(6.0)).by(SQLX, Layout::Unpinned),
    CROWD[0],
    CROWD[1],
    CROWD[2],
    CROWD[3],
    Goal::new(WAIT_FREE, LENT, Bound::AtLeast(0.97)).by(TYPED, Layout::Pinned),
    Goal::new(WAIT_FREE, OWNED, Bound::AtLeast(0.95)).by(SQLX, Layout::Pinned),
    Goal::new(PAIRS, OWNED, Bound::AtLeast(3.0)).by(DISTRIBUTED, Layout::Pinned),
    Goal::new(PAIRS_OF_EIGHT, OWNED, Bound::AtLeast(1.6)).by(DISTRIBUTED, Layout::Unpinned),
    Goal::new(PAIRS, OWNED, Bound::AtLeast(2.0)).by(PYTHON, Layout::Pinned),
    Goal::new(PAIRS_OF_EIGHT, OWNED, Bound::AtLeast(5.0)).by(PYTHON, Layout::Unpinned),
    Goal::new(HAND_OVER, OWNED, Bound::AtMost(1.05)).by(RAW, Layout::Pinned),
    Goal::new(HAND_OVER, OWNED, Bound::AtMost(1.4)).by(PLAIN, Layout::Pinned),
];

/// Many tasks, on every server.
const CROWD: [Goal; 4] = [
    Goal::new(ONE_KEY, LAYER, Bound::AtMost(20.0)),
    Goal::new(ONE_KEY_MEMORY, LAYER, Bound::AtMost(1024.0)),
    Goal::new(ONE_KEY_SESSIONS, LAYER, Bound::AtMost(2.0)),
    Goal::new(WORK, LAYER, Bound::AtMost(1.2)).by(IDEAL, Layout::Unpinned),
];

const MYSQL: [Goal; 17] = [
    Goal::new(PAIRS, LAYER, Bound::AtLeast(0.9)).by(RAW_PREPARED, Layout::Pinned),
    Goal::new(MANY_KEYS, LAYER, Bound::AtLeast(6.0)).by(LONE, Layout::Unpinned),
    CROWD[0],
    CROWD[1],
    CROWD[2],
    CROWD[3],
    Goal::new(PAIRS, LENT, Bound::AtLeast(0.95)).by(RAW, Layout::Pinned),
    Goal::new(PAIRS, OWNED, Bound::AtLeast(0.95)).by(RAW_LATER, Layout::Pinned),
    Goal::new(PAIRS, PREPARED, Bound::AtLeast(0.95)).by(RAW_PREPARED, Layout::Pinned),
    Goal::new(PAIRS, PREPARED, Bound::AtLeast(1.7)).by(DISTRIBUTED, Layout::Pinned),
    Goal::new(PAIRS, OWNED, Bound::AtLeast(2.0)).by(PYTHON, Layout::Pinned),
    Goal::new(PAIRS_OF_EIGHT, OWNED, Bound::AtLeast(5.0)).by(PYTHON, Layout::Unpinned),
    Goal::new(HAND_OVER, OWNED, Bound::AtMost(1.05)).by(RAW_LATER, Layout::Pinned),
    Goal::new(HAND_OVER, PREPARED, Bound::AtMost(1.05)).by(RAW_PREPARED, Layout::Pinned),
    Goal::new(PAIR_BYTES, OWNED, Bound::Exactly(1.0)).by(RAW_LATER, Layout::Unpinned),
    Goal::new(ACQUIRE_TRIPS, PREPARED, Bound::Exactly(1.0)),
    Goal::new(RELEASE_TRIPS, PREPARED, Bound::Exactly(1.0)),
];

const MSSQL: [Goal; 3] = [
    Goal::new(PAIRS, LENT, Bound::AtLeast(0.75)).by(PLAIN, Layout::Pinned),
    Goal::new(PAIRS, OWNED, Bound::AtLeast(0.75)).by(PLAIN, Layout::Pinned),
    Goal::new(HAND_OVER, OWNED, Bound::AtMost(1.05)).by(RAW, Layout::Pinned),
];

const ORACLE: [Goal; 1] =
    [Goal::new(HAND_OVER, OWNED, Bound::AtMost(1.05)).by(RAW, Layout::Pinned)];

#[cfg(test)]
mod tests {
    use super::{Bound, judge};
    use crate::board::{Board, Fold};
    use crate::figure::Layout;
    use crate::measure::{ACQUIRE_TRIPS, PAIRS};
    use crate::place::Database;
    use crate::subject::{LENT, OWNED, PLAIN};

    #[test]
    fn bounds_hold_at_their_edge() {
        assert!(Bound::AtLeast(0.97).is_met(0.97) && !Bound::AtLeast(0.97).is_met(0.969));
        assert!(Bound::AtMost(1.05).is_met(1.05) && !Bound::AtMost(1.05).is_met(1.051));
        assert!(Bound::Exactly(1.0).is_met(1.0) && !Bound::Exactly(1.0).is_met(1.05));
    }

    #[test]
    fn a_ratio_is_judged_in_its_layout() {
        let mut figures = Vec::new();
        for (layout, lent) in [(Layout::Pinned, 74.0), (Layout::Unpinned, 120.0)] {
            let mut board = Board::new(PAIRS, "1/s");
            board.add(PLAIN, 100.0);
            board.add(LENT, lent);
            figures.extend(board.figures(Database::Mssql, layout, Fold::Median));
        }
        let verdicts = judge(&figures);
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        assert_eq!(verdicts[0].is_met, Some(false));
        assert_eq!((verdicts[0].pinned, verdicts[0].unpinned), (Some(0.74), Some(1.2)));
    }

    #[test]
    fn round_trips_are_judged_by_themselves() {
        let mut board = Board::new(ACQUIRE_TRIPS, "");
        board.add(OWNED, 1.0);
        let figures = board.figures(Database::Mariadb, Layout::Unpinned, Fold::Median);
        assert_eq!(judge(&figures)[0].is_met, Some(true));
    }

    #[test]
    fn what_decides_may_be_missing() {
        let mut board = Board::new(PAIRS, "1/s");
        board.add(PLAIN, 1.0);
        board.add(OWNED, 1.0);
        let figures = board.figures(Database::Mssql, Layout::Unpinned, Fold::Median);
        assert_eq!(judge(&figures)[0].is_met, None);
    }
}
