use std::fmt;

/// How an application lock may be held.
///
/// | held \ asked | exclusive | update | shared |
/// |---|---|---|---|
/// | exclusive | waits | waits | waits |
/// | update | waits | waits | granted, unless somebody is waiting already |
/// | shared | waits | granted, unless somebody is waiting already | the same |
///
/// See [the vendor's table](https://learn.microsoft.com/sql/relational-databases/sql-server-transaction-locking-and-row-versioning-guide#lock_compatibility).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Alone.
    #[default]
    Exclusive,
    /// Beside shared ones, and the only one that may go on to exclusive.
    Update,
    /// With other shared ones, and beside one update.
    Shared,
}

impl Mode {
    /// What `@LockMode` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Mode::Exclusive => "Exclusive",
            Mode::Update => "Update",
            Mode::Shared => "Shared",
        }
    }
}

impl From<Mode> for dlock_locks::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Exclusive => Self::Exclusive,
            Mode::Update => Self::Update,
            Mode::Shared => Self::Shared,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name().to_lowercase())
    }
}
