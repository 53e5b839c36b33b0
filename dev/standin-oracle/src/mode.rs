//! The six modes of a user lock.

/// The mode in which a user lock is held or asked for.
///
/// The numbers are those of `DBMS_LOCK`: `nl_mode` = 1 to `x_mode` = 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// NL, compatible with everything.
    Null = 1,
    /// SS, row share.
    RowShare,
    /// SX, row exclusive.
    RowExclusive,
    /// S, share.
    Share,
    /// SSX, share row exclusive.
    ShareRowExclusive,
    /// X, exclusive.
    Exclusive,
}

impl Mode {
    /// Every mode, weakest first.
    pub const ALL: [Self; 6] = [
        Self::Null,
        Self::RowShare,
        Self::RowExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
    ];

    /// The mode of a `DBMS_LOCK` number, if it is one of the six.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    /// The number that `DBMS_LOCK` has for this mode.
    pub fn code(self) -> i64 {
        match self {
            Self::Null => 1,
            Self::RowShare => 2,
            Self::RowExclusive => 3,
            Self::Share => 4,
            Self::ShareRowExclusive => 5,
            Self::Exclusive => 6,
        }
    }

    /// Whether `other` may be granted to one session while another holds `self`.
    pub fn admits(self, other: Self) -> bool {
        use Mode::{Exclusive, Null, RowExclusive, RowShare, Share};
        match self {
            Null => true,
            RowShare => other != Exclusive,
            RowExclusive => matches!(other, Null | RowShare | RowExclusive),
            Share => matches!(other, Null | RowShare | Share),
            Self::ShareRowExclusive => matches!(other, Null | RowShare),
            Exclusive => other == Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mode;

    #[test]
    fn the_matrix_is_symmetric() {
        for held in Mode::ALL {
            for asked in Mode::ALL {
                assert_eq!(held.admits(asked), asked.admits(held), "{held:?} {asked:?}");
            }
        }
    }

    #[test]
    fn a_code_finds_its_mode() {
        for mode in Mode::ALL {
            assert_eq!(Mode::from_code(mode.code()), Some(mode));
        }
        assert_eq!(Mode::from_code(0), None);
        assert_eq!(Mode::from_code(7), None);
    }
}
