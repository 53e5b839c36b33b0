//! Random scripts of operations, run side by side on memory and on a server: every answer must be the
//! same, and so must every flag, and what the server shows.
//!
//! One operation at a time, so that the answers do not depend on who is faster. What goes on in the
//! background (a dropped guard's release, a dropped wait's cancel) is waited for after each step.

mod check;
mod layout;
mod outcome;
mod stage;
mod step;

pub use check::{Effort, check};
pub use layout::{Apart, Cast, Layout, Together};
pub use outcome::Outcome;
pub use stage::{MakeShared, Stage};
pub use step::{Script, Step, scripts};
