//! The page on what is to be done once.

#[allow(missing_docs)]
pub mod outside;
#[allow(missing_docs)]
pub mod whole;
