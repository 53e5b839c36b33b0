use std::fmt;

/// How an advisory lock may be held.
///
/// | held \ asked | exclusive | shared |
/// |---|---|---|
/// | exclusive | waits | waits |
/// | shared | waits | granted, unless an exclusive one is waiting already |
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Alone.
    #[default]
    Exclusive,
    /// With other shared ones.
    Shared,
}

impl Mode {
    /// What the lock functions of this mode have at the end of their names.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Mode::Exclusive => "",
            Mode::Shared => "_shared",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Exclusive => "exclusive",
            Mode::Shared => "shared",
        })
    }
}
