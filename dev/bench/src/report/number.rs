//! Numbers as tables have them.

/// Three digits that count, or a dash.
pub(super) fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}

/// A ratio, or nothing.
pub(super) fn ratio(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.3}"))
}

#[cfg(test)]
mod tests {
    use super::{number, ratio};

    #[test]
    fn a_number_has_three_digits_that_count() {
        let values = [1234.4, 100.0, 99.94, -12.34, 1.004, 0.0];
        let texts = values.map(|value| number(Some(value)));
        assert_eq!(texts, ["1234", "100", "99.9", "-12.3", "1.00", "0.00"]);
        assert_eq!(number(None), "–");
    }

    #[test]
    fn a_ratio_has_three_decimals() {
        assert_eq!((ratio(Some(0.9666)), ratio(None)), ("0.967".to_owned(), String::new()));
    }
}
