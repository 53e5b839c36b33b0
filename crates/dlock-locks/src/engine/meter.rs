//! What the feature `metrics` counts. Without it, a meter counts nothing and costs nothing.

#[cfg(feature = "metrics")]
mod recorded;
#[cfg(not(feature = "metrics"))]
mod silent;

#[cfg(feature = "metrics")]
pub(crate) use recorded::Meter;
#[cfg(not(feature = "metrics"))]
pub(crate) use silent::Meter;

/// How much there is of what comes and goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Levels {
    /// Keys that are held.
    pub(crate) held: usize,
    /// Sessions that are open to run what is answered at once.
    pub(crate) serving: usize,
    /// Sessions that are open to wait, or hold what they waited for.
    pub(crate) waiting: usize,
}
