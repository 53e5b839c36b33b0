/// What a lock knows of its session. It has the session to itself between two requests of the caller's
/// for it, so what it has seen there stays true that long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    /// Nothing: the caller may have taken the key by hand, or limited how long a statement may run.
    Nothing,
    /// It holds the key once, by this lock, or not at all.
    Clear,
    /// The same, and it is a session of MariaDB's that has no limit on statements.
    Maria,
    /// The same as clear, and it is a session of MySQL's.
    Mysql,
}

/// What a release answers that asks what session it is: MariaDB's with no limit on statements, MySQL's,
/// MariaDB's with one.
pub(crate) const MARIA: i64 = 2;
pub(crate) const MYSQL: i64 = 3;
pub(crate) const LIMITED: i64 = 4;

impl Known {
    pub(crate) const ALL: [Self; 4] = [Self::Nothing, Self::Clear, Self::Maria, Self::Mysql];

    pub(crate) fn from_u8(number: u8) -> Self {
        Self::ALL[usize::from(number)]
    }

    /// After the key was granted: then the session did not hold it before.
    pub(crate) fn after_grant(self) -> Self {
        if self == Self::Nothing { Self::Clear } else { self }
    }

    /// After a release with this answer.
    pub(crate) fn after_release(self, answer: i64) -> Self {
        match (self, answer) {
            (Self::Clear, MARIA) => Self::Maria,
            (Self::Clear, MYSQL) => Self::Mysql,
            (known, 1) => known,
            _ => Self::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, LIMITED, MARIA, MYSQL};

    #[test]
    fn a_session_is_known_once_a_release_said_which_it_is() {
        for (answer, known) in [(MARIA, Known::Maria), (MYSQL, Known::Mysql)] {
            let clear = Known::Nothing.after_grant().after_release(1);
            assert_eq!(clear.after_grant().after_release(answer), known);
            assert_eq!(known.after_grant().after_release(1), known);
        }
    }

    #[test]
    fn what_the_caller_may_have_changed_stays_unknown() {
        for answer in [0, 1, MARIA, MYSQL, LIMITED] {
            assert_eq!(Known::Nothing.after_release(answer), Known::Nothing);
        }
    }

    #[test]
    fn a_key_that_was_lost_or_a_limit_makes_all_unknown() {
        for known in Known::ALL {
            assert_eq!(known.after_release(0), Known::Nothing);
            assert_eq!(known.after_release(LIMITED), Known::Nothing);
        }
    }

    #[test]
    fn a_number_is_what_it_was_made_of() {
        for known in Known::ALL {
            assert_eq!(Known::from_u8(known as u8), known);
        }
    }
}
