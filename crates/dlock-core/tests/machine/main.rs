//! The state machine over a raw lock that answers as it is told.

mod drops;
mod futures;
mod guards;
mod held;
mod scripted;
mod silence;
mod states;
mod trace;
