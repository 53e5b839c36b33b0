//! Tokio, as far as `dlock-locks` uses it, under shuttle's scheduler. What tokio itself checks, its channels,
//! is taken as it is: each operation is one step, with a point before it where another thread may go on.

pub mod checked;
pub mod runtime;
pub mod sync;
pub mod task;
