//! The page on sea-orm.

#[allow(missing_docs)]
pub mod beside;
#[allow(missing_docs)]
pub mod fenced;
#[allow(missing_docs)]
pub mod inside;
