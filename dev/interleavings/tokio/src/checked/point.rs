use std::io;

/// A point where another thread may go on.
pub fn point() {
    shuttle::thread::sleep(std::time::Duration::ZERO);
}

/// Starts threads that the scheduler runs.
#[derive(Debug)]
pub struct Builder(shuttle::thread::Builder);

impl Builder {
    /// A thread without a name.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as the standard library's")]
    pub fn new() -> Self {
        Self(shuttle::thread::Builder::new())
    }

    /// Names it.
    #[must_use]
    pub fn name(self, name: String) -> Self {
        Self(self.0.name(name))
    }

    /// Starts it.
    ///
    /// # Errors
    /// Never.
    pub fn spawn<T, F>(self, body: F) -> io::Result<shuttle::thread::JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(body)
    }
}
