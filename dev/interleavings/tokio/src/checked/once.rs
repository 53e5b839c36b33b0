use super::point;

/// The standard library's, with points.
#[derive(Debug)]
pub struct OnceLock<T>(std::sync::OnceLock<T>);

impl<T> OnceLock<T> {
    /// Nothing yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as the standard library's")]
    pub const fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    /// What was set first.
    pub fn get(&self) -> Option<&T> {
        point();
        self.0.get()
    }

    /// Sets it, unless it is set.
    ///
    /// # Errors
    /// It was set already.
    pub fn set(&self, value: T) -> Result<(), T> {
        point();
        self.0.set(value)
    }
}
