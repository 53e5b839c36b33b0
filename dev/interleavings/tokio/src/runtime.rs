//! A runtime that has nothing to do: the scheduler runs everything.

use std::io;

/// Builds one.
#[derive(Debug)]
pub struct Builder;

/// One.
#[derive(Debug)]
pub struct Runtime;

impl Builder {
    /// Of one thread.
    #[must_use]
    pub fn new_current_thread() -> Self {
        Self
    }

    /// With everything.
    pub fn enable_all(&mut self) -> &mut Self {
        self
    }

    /// The runtime.
    ///
    /// # Errors
    /// Never.
    pub fn build(&mut self) -> io::Result<Runtime> {
        Ok(Runtime)
    }
}
