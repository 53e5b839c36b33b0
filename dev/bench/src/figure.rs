//! A figure: one measure of one subject.

use serde::{Deserialize, Serialize};

use crate::place::Database;

/// How a run is laid out on the processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Layout {
    /// Client and server on one core, the client on a current-thread runtime.
    Pinned,
    /// Wherever the system puts them, the client on a multi-thread runtime.
    Unpinned,
    /// It does not matter: nothing is run.
    #[value(skip)]
    Neither,
}

impl Layout {
    /// The name in tables and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
            Self::Neither => "value",
        }
    }
}

/// One measure of one subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) database: Database,
    pub(crate) layout: Layout,
    pub(crate) measure: String,
    pub(crate) unit: String,
    pub(crate) subject: String,
    /// The median; `None` where the subject has nothing of the kind, or did not do it in time.
    pub(crate) value: Option<f64>,
    /// The median over turns of this subject's value by the baseline's of the same turn.
    pub(crate) ratio: Option<f64>,
    pub(crate) turns: usize,
    /// The value of each turn; not written to files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) values: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
}

/// The median over turns of one subject's value by another's of the same turn, so that what slows all
/// of a turn down cancels out.
pub(crate) fn ratio(values: &[f64], others: &[f64]) -> Option<f64> {
    let ratio = if values.len() == others.len() {
        let ratios: Vec<f64> = values.iter().zip(others).map(|(one, other)| one / other).collect();
        median(&ratios)?
    } else {
        median(values)? / median(others)?
    };
    Some(ratio).filter(|ratio| ratio.is_finite())
}

/// The middle of the values.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 1, 2)
}

/// The value below which a share of them lies: `of(99, 100)` for the 99th percentile.
pub(crate) fn quantile(values: &[f64], share: usize, of: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * share).div_ceil(of).max(1) - 1;
    sorted.get(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::{median, quantile, ratio};

    #[test]
    fn quantiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(median(&values), Some(50.0));
        assert_eq!(quantile(&values, 99, 100), Some(99.0));
        assert_eq!(median(&[7.0]), Some(7.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        assert_eq!(ratio(&[90.0, 9.0, 900.0], &[100.0, 10.0, 1000.0]), Some(0.9));
        assert_eq!(ratio(&[90.0, 9.0], &[10.0]), Some(0.9));
        assert_eq!(ratio(&[1.0], &[0.0]), None);
        assert_eq!(ratio(&[], &[1.0]), None);
    }
}
