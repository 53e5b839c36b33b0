//! Where threads meet: the standard library's primitives, or those of a checker of interleavings, over which
//! the workspace builds these sources a second time.

#[cfg(not(interleaved))]
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, atomic};
#[cfg(not(interleaved))]
pub(crate) use std::thread;
#[cfg(interleaved)]
pub(crate) use tokio::checked::{Mutex, MutexGuard, OnceLock, atomic, thread};
