use crate::Mode;

/// Whether two sessions may not hold a key in these modes at a time.
pub(crate) fn conflict(one: Mode, other: Mode) -> bool {
    one == Mode::Exclusive || other == Mode::Exclusive
}
