//! Lock modes, which of them go together, and what two of them add up to.

/// A mode of an application lock; the last two arise only as sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    IntentShared,
    Shared,
    Update,
    IntentExclusive,
    Exclusive,
    SharedIntentExclusive,
    UpdateIntentExclusive,
}

use Mode::{
    Exclusive, IntentExclusive, IntentShared, Shared, SharedIntentExclusive, Update,
    UpdateIntentExclusive,
};

impl Mode {
    /// The mode that a caller may ask for by this name, in any case.
    pub(crate) fn named(name: &str) -> Option<Mode> {
        let asked = name.trim_end_matches(' ');
        [IntentShared, Shared, Update, IntentExclusive, Exclusive]
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(asked))
    }

    /// The name that `APPLOCK_MODE` gives.
    pub(crate) fn name(self) -> &'static str {
        match self {
            IntentShared => "IntentShared",
            Shared => "Shared",
            Update => "Update",
            IntentExclusive => "IntentExclusive",
            Exclusive => "Exclusive",
            SharedIntentExclusive => "SharedIntentExclusive",
            UpdateIntentExclusive => "UpdateIntentExclusive",
        }
    }

    /// The short name that `sys.dm_tran_locks` gives.
    pub(crate) fn short(self) -> &'static str {
        match self {
            IntentShared => "IS",
            Shared => "S",
            Update => "U",
            IntentExclusive => "IX",
            Exclusive => "X",
            SharedIntentExclusive => "SIX",
            UpdateIntentExclusive => "UIX",
        }
    }

    /// Whether two sessions may hold these two at once.
    pub(crate) fn goes_with(self, other: Mode) -> bool {
        match (self, other) {
            (Exclusive, _) | (_, Exclusive) => false,
            (IntentShared, _) | (_, IntentShared) => true,
            (Shared, Shared | Update) | (Update, Shared) => true,
            (IntentExclusive, IntentExclusive) => true,
            _ => false,
        }
    }

    /// What one owner holds that was granted both.
    pub(crate) fn plus(self, other: Mode) -> Mode {
        let (has_x, intent) =
            (self.covers_x() || other.covers_x(), self.intends() || other.intends());
        match (has_x, self.strength().max(other.strength()), intent) {
            (true, _, _) => Exclusive,
            (_, 2, true) => UpdateIntentExclusive,
            (_, 2, false) => Update,
            (_, 1, true) => SharedIntentExclusive,
            (_, 1, false) => Shared,
            (_, _, true) => IntentExclusive,
            _ => IntentShared,
        }
    }

    fn covers_x(self) -> bool {
        self == Exclusive
    }

    fn intends(self) -> bool {
        matches!(self, IntentExclusive | SharedIntentExclusive | UpdateIntentExclusive)
    }

    fn strength(self) -> u8 {
        match self {
            Shared | SharedIntentExclusive => 1,
            Update | UpdateIntentExclusive => 2,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: [Mode; 5] = [IntentShared, Shared, Update, IntentExclusive, Exclusive];

    #[test]
    fn the_matrix_is_the_documented_one() {
        let rows = [
            (IntentShared, [true, true, true, true, false]),
            (Shared, [true, true, true, false, false]),
            (Update, [true, true, false, false, false]),
            (IntentExclusive, [true, false, false, true, false]),
            (Exclusive, [false; 5]),
            (SharedIntentExclusive, [true, false, false, false, false]),
            (UpdateIntentExclusive, [true, false, false, false, false]),
        ];
        for (held, expected) in rows {
            for (asked, expected) in ASKED.into_iter().zip(expected) {
                assert_eq!(held.goes_with(asked), expected, "{held:?} {asked:?}");
                assert_eq!(asked.goes_with(held), expected, "{asked:?} {held:?}");
            }
        }
    }

    #[test]
    fn sums_keep_the_stronger_and_the_intent() {
        for mode in ASKED {
            assert_eq!(mode.plus(mode), mode);
            assert_eq!(mode.plus(IntentShared), mode);
            assert_eq!(mode.plus(Exclusive), Exclusive);
        }
        assert_eq!(Shared.plus(Update), Update);
        assert_eq!(Shared.plus(IntentExclusive), SharedIntentExclusive);
        assert_eq!(IntentExclusive.plus(Update), UpdateIntentExclusive);
        assert_eq!(SharedIntentExclusive.plus(Update), UpdateIntentExclusive);
    }

    #[test]
    fn names_are_read_in_any_case_and_sums_cannot_be_asked_for() {
        assert_eq!(Mode::named("exclusive "), Some(Exclusive));
        assert_eq!(Mode::named("SharedIntentExclusive"), None);
        assert_eq!(Mode::named(" Shared"), None);
    }
}
