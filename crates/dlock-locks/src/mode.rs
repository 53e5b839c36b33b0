/// How a key may be held.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Alone.
    #[default]
    Exclusive,
    /// With other shared ones.
    Shared,
}
