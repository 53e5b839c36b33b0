use std::fmt;

/// How a key may be held. Which of these a server has, the methods of a [`Request`](crate::Request) say.
///
/// In one process those who ask for the same mode share one hold, where the mode is compatible with itself;
/// those who ask for another wait until it has gone, also where the server would grant both.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Mode {
    /// Alone.
    #[default]
    Exclusive,
    /// With other shared ones.
    Shared,
    /// One beside shared ones, which may go on to exclusive.
    Update,
    /// With everything: Oracle's NL.
    Null,
    /// With all but exclusive: Oracle's SS.
    SubShared,
    /// With null, sub shared and itself: Oracle's SX.
    SubExclusive,
    /// With null and sub shared: Oracle's SSX.
    SharedSubExclusive,
}

impl Mode {
    /// Whether many may hold it at a time.
    ///
    /// # Examples
    /// ```
    /// use dlock_db::Mode;
    ///
    /// assert!(Mode::Shared.is_compatible_with_itself());
    /// assert!(!Mode::Exclusive.is_compatible_with_itself());
    /// ```
    #[must_use]
    pub fn is_compatible_with_itself(self) -> bool {
        matches!(self, Mode::Shared | Mode::Null | Mode::SubShared | Mode::SubExclusive)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Exclusive => "exclusive",
            Mode::Shared => "shared",
            Mode::Update => "update",
            Mode::Null => "null",
            Mode::SubShared => "sub shared",
            Mode::SubExclusive => "sub exclusive",
            Mode::SharedSubExclusive => "shared sub exclusive",
        })
    }
}
