use blake2::digest::consts::{U8, U32};
use blake2::{Blake2b, Digest as _};
use std::fmt;

/// BLAKE2b with an 8-byte digest, read little-endian: how text and bytes become a number.
///
/// ```
/// assert_eq!(dlock_core::hash64(b"").cast_signed(), -5426141060434712860);
/// ```
#[must_use]
pub fn hash64(data: &[u8]) -> u64 {
    u64::from_le_bytes(Blake2b::<U8>::digest(data).into())
}

/// BLAKE2b-256: how a text of any length becomes a name that keeps its case.
///
/// ```
/// assert_eq!(
///     dlock_core::hash256("a").to_string(),
///     "8928aae63c84d87ea098564d1e03ad813f107add474e56aedd286349c0c03ea4",
/// );
/// ```
#[must_use]
pub fn hash256(text: &str) -> Digest {
    Digest(Blake2b::<U32>::digest(text).into())
}

/// A 256-bit digest; `Display` writes it as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
