//! Golden vectors: the numbers that sqlalchemy-dlock makes of keys.

use serde::Deserialize;
use std::sync::LazyLock;

/// What was given as a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Input {
    /// A text.
    Text {
        /// It.
        text: String,
    },
    /// Any bytes.
    Bytes {
        /// Them, as hexadecimal digits.
        #[serde(rename = "hex", deserialize_with = "bytes_of_hex")]
        bytes: Vec<u8>,
    },
    /// An integer.
    Int {
        /// It.
        #[serde(rename = "int")]
        number: i64,
    },
}

/// A key and its numbers.
#[derive(Clone, Debug, Deserialize)]
pub struct Vector {
    /// The key.
    #[serde(flatten)]
    pub input: Input,
    /// PostgreSQL's `bigint`.
    pub postgres: i64,
    /// Oracle's lock id, 0 to 1073741823. Integers beyond were wrapped, modulo 2³⁰.
    pub oracle: u32,
}

#[derive(Deserialize)]
struct Vectors {
    rows: Vec<Vector>,
}

/// All of them.
///
/// # Panics
/// When the file is not what it was.
#[must_use]
pub fn keys() -> &'static [Vector] {
    static KEYS: LazyLock<Vectors> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../vectors/keys.json")).expect("well-formed vectors")
    });
    &KEYS.rows
}

fn bytes_of_hex<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let digits = String::deserialize(from)?;
    let pairs = (0..digits.len()).step_by(2).map(|at| digits.get(at..at + 2).unwrap_or("odd"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(serde::de::Error::custom)).collect()
}
