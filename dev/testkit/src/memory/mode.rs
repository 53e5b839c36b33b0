/// How a key may be held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// Alone.
    #[default]
    Exclusive,
    /// With other shared ones.
    Shared,
}

impl Mode {
    /// Whether two sessions may not hold a key in these modes at a time.
    pub(super) fn conflicts(self, other: Self) -> bool {
        self == Mode::Exclusive || other == Mode::Exclusive
    }
}
