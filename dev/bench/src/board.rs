//! What the subjects reached, round by round.

use crate::figure::{Figure, Layout, median, quantile, ratio};
use crate::place::Database;
use crate::subject::RAW;

/// How the values of the turns become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Median,
    /// The 99th percentile.
    P99,
}

impl Fold {
    fn of(self, values: &[f64]) -> Option<f64> {
        match self {
            Self::Median => median(values),
            Self::P99 => quantile(values, 99, 100),
        }
    }
}

/// The values of one measure.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) measure: String,
    pub(crate) unit: &'static str,
    /// The subject that the others are compared with.
    baseline: Option<&'static str>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    subject: &'static str,
    values: Vec<f64>,
    note: Option<String>,
}

impl Board {
    /// No values yet.
    pub(crate) fn new(measure: impl Into<String>, unit: &'static str) -> Self {
        Self { measure: measure.into(), unit, baseline: Some(RAW), rows: Vec::new() }
    }

    /// Compares with another subject than the raw driver.
    pub(crate) fn against(self, baseline: &'static str) -> Self {
        Self { baseline: Some(baseline), ..self }
    }

    /// Compares nothing: a value around zero has no ratio that means anything.
    pub(crate) fn without_ratios(self) -> Self {
        Self { baseline: None, ..self }
    }

    fn row(&mut self, subject: &'static str) -> &mut Row {
        let index = self.rows.iter().position(|row| row.subject == subject);
        let index = index.unwrap_or_else(|| {
            self.rows.push(Row { subject, values: Vec::new(), note: None });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    /// One round's value.
    pub(crate) fn add(&mut self, subject: &'static str, value: f64) {
        self.row(subject).values.push(value);
    }

    /// Why a subject has no value, or fewer than the others.
    pub(crate) fn note(&mut self, subject: &'static str, note: impl Into<String>) {
        self.row(subject).note = Some(note.into());
    }

    /// The figures, in the order in which the subjects came.
    pub(crate) fn figures(&self, database: Database, layout: Layout, fold: Fold) -> Vec<Figure> {
        self.rows
            .iter()
            .map(|row| Figure {
                database,
                layout,
                measure: self.measure.clone(),
                unit: self.unit.to_owned(),
                subject: row.subject.to_owned(),
                value: fold.of(&row.values),
                ratio: self.ratio(row, fold),
                turns: row.values.len(),
                values: row.values.clone(),
                note: row.note.clone(),
            })
            .collect()
    }

    fn ratio(&self, row: &Row, fold: Fold) -> Option<f64> {
        let baseline = self.baseline?;
        let base = &self.rows.iter().find(|row| row.subject == baseline)?.values;
        match fold {
            Fold::Median => ratio(&row.values, base),
            Fold::P99 => ratio(&[fold.of(&row.values)?], &[fold.of(base)?]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Fold};
    use crate::figure::Layout;
    use crate::place::Database;
    use crate::subject::RAW;

    #[test]
    fn a_subject_without_values_is_kept_with_its_note() {
        let mut board = Board::new("pairs", "1/s");
        for (raw, other) in [(100.0, 90.0), (10.0, 9.0), (1000.0, 900.0)] {
            board.add(RAW, raw);
            board.add("other", other);
        }
        board.note("none", "no such call");
        let figures = board.figures(Database::Postgres, Layout::Pinned, Fold::Median);
        assert_eq!(figures[1].value, Some(90.0));
        assert_eq!(figures[1].ratio, Some(0.9));
        assert_eq!((figures[2].value, figures[2].ratio), (None, None));
    }

    #[test]
    fn a_ratio_is_by_the_baseline_if_there_is_one() {
        let filled = |mut board: Board| {
            board.add(RAW, 2.0);
            board.add("base", 4.0);
            let figures = board.figures(Database::Mysql, Layout::Unpinned, Fold::Median);
            figures.iter().map(|figure| figure.ratio).collect::<Vec<_>>()
        };
        let board = || Board::new("late by", "ms");
        assert_eq!(filled(board()), [Some(1.0), Some(2.0)]);
        assert_eq!(filled(board().against("base")), [Some(0.5), Some(1.0)]);
        assert_eq!(filled(board().without_ratios()), [None, None]);
    }
}
