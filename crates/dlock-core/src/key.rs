use blake2b_simd::Params;
use std::fmt;

/// BLAKE2b with an 8-byte digest, read little-endian: how text and bytes become a number.
///
/// ```
/// assert_eq!(dlock_core::hash64(b"").cast_signed(), -5426141060434712860);
/// ```
#[must_use]
pub fn hash64(data: &[u8]) -> u64 {
    let hash = Params::new().hash_length(8).hash(data);
    hash.as_bytes().iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
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
    let mut bytes = [0; 32];
    bytes.copy_from_slice(Params::new().hash_length(32).hash(text.as_bytes()).as_bytes());
    Digest(bytes)
}

/// A 256-bit digest; `Display` writes it as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
