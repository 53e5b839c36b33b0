//! The page on diesel.

#[allow(missing_docs)]
pub mod beside;
#[allow(missing_docs)]
pub mod fenced;
#[allow(missing_docs)]
pub mod inside;
