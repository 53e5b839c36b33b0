use std::fmt;

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Severity {
    /// Nothing to do.
    Note,
    /// Something is missing that would help.
    Warning,
    /// Locks lie here, or cannot be had.
    Fault,
}

/// Something that the check-up found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was found: a short name that does not change, such as `transaction-pooler`.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub what: String,
    /// Why it matters, in one sentence.
    pub why: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl Finding {
    /// A finding.
    pub fn new(
        severity: Severity,
        name: &'static str,
        what: impl Into<String>,
        why: &'static str,
        advice: &'static str,
    ) -> Self {
        Self { severity, name, what: what.into(), why, advice }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.what, self.why, self.advice)
    }
}
