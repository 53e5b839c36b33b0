//! What `Locks` promises: plain async functions, each over a new fixture.

pub(super) mod basics;
pub(super) mod beside;
pub(super) mod closing;
pub(super) mod drops;
pub(super) mod exclusion;
pub(super) mod exhausted;
pub(super) mod frozen;
pub(super) mod hand_over;
pub(super) mod limits;
pub(super) mod loss;
pub(super) mod network;
pub(super) mod runtimes;
pub(super) mod shared;
pub(super) mod silence;
pub(super) mod storm;
pub(super) mod waits;
