//! `OCINumber`: Oracle's decimal number in 22 bytes.
//!
//! A length byte, an exponent of base 100, and up to twenty digits of base 100. Positive digits
//! are stored plus one, negative ones as 101 less the digit with a closing 102.

/// The size of an `OCINumber`.
pub(crate) const SIZE: usize = 22;

const ZERO_EXPONENT: u8 = 0x80;
const BIAS: i32 = 193;
const SENTINEL: u8 = 102;

/// Writes a number, with at most fifteen significant decimal digits of a fraction.
pub(crate) fn encode(value: f64) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let (digits, exponent) = base_hundred(value.abs());
    if digits.is_empty() {
        bytes[..2].copy_from_slice(&[1, ZERO_EXPONENT]);
        return bytes;
    }
    let negative = value < 0.0;
    let exponent = u8::try_from(exponent + BIAS).unwrap_or(u8::MAX);
    let mut body = vec![if negative { !exponent } else { exponent }];
    body.extend(digits.iter().map(|digit| if negative { 101 - digit } else { digit + 1 }));
    if negative && digits.len() < 20 {
        body.push(SENTINEL);
    }
    bytes[0] = u8::try_from(body.len()).unwrap_or(u8::MAX);
    bytes[1..=body.len()].copy_from_slice(&body);
    bytes
}

/// Reads a number.
pub(crate) fn decode(bytes: &[u8; SIZE]) -> f64 {
    let length = usize::from(bytes[0]).clamp(1, SIZE - 1);
    let negative = bytes[1] & 0x80 == 0;
    let exponent = i32::from(if negative { !bytes[1] } else { bytes[1] }) - BIAS;
    let mut digits = &bytes[2..=length];
    if negative && digits.last() == Some(&SENTINEL) {
        digits = &digits[..digits.len() - 1];
    }
    let mut text = String::from("0");
    for digit in digits {
        let digit = if negative { 101 - digit } else { digit - 1 };
        text.push_str(&format!("{digit:02}"));
    }
    let scale = 2 * (exponent + 1) - 2 * i32::try_from(digits.len()).unwrap_or(0);
    let magnitude: f64 = format!("{text}e{scale}").parse().unwrap_or(0.0);
    if negative { -magnitude } else { magnitude }
}

/// The digits of base 100 without closing zeros, and the exponent of the first.
fn base_hundred(value: f64) -> (Vec<u8>, i32) {
    let text = format!("{value}");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = format!("{}{whole}", if whole.len() % 2 == 1 { "0" } else { "" });
    let fraction = format!("{fraction}{}", if fraction.len() % 2 == 1 { "0" } else { "" });
    let mut exponent = i32::try_from(whole.len() / 2).unwrap_or(i32::MAX) - 1;
    let pairs = whole.as_bytes().chunks(2).chain(fraction.as_bytes().chunks(2));
    let mut digits: Vec<u8> = pairs.map(|pair| (pair[0] - b'0') * 10 + (pair[1] - b'0')).collect();
    while digits.first() == Some(&0) {
        digits.remove(0);
        exponent -= 1;
    }
    digits.truncate(20);
    while digits.last() == Some(&0) {
        digits.pop();
    }
    (digits, exponent)
}

/// A number as `TO_CHAR` writes it: no closing zeros, no zero before the point.
pub(crate) fn to_text(value: f64) -> String {
    let text = format!("{value}");
    match text.strip_prefix("0.") {
        Some(fraction) => format!(".{fraction}"),
        None => text.replacen("-0.", "-.", 1),
    }
}

/// A whole number, when the value is one that fits.
pub(crate) fn to_integer(value: f64) -> Option<i64> {
    let text = format!("{}", value.round());
    text.parse().ok()
}

/// A whole number as the interpreter keeps it.
pub(crate) fn from_integer(value: i64) -> f64 {
    value.to_string().parse().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode, from_integer, to_integer, to_text};

    /// Bytes as `DUMP(n, 16)` shows them on a server.
    const GOLDEN: [(f64, &[u8]); 8] = [
        (0.0, &[1, 0x80]),
        (1.0, &[2, 0xc1, 2]),
        (77.0, &[2, 0xc1, 78]),
        (100.0, &[2, 0xc2, 2]),
        (123.45, &[4, 0xc2, 2, 24, 46]),
        (0.01, &[2, 0xc0, 2]),
        (-1.0, &[3, 0x3e, 100, 102]),
        (-123.0, &[4, 0x3d, 100, 78, 102]),
    ];

    #[test]
    fn known_numbers_have_their_known_bytes() {
        for (value, bytes) in GOLDEN {
            assert_eq!(&encode(value)[..bytes.len()], bytes, "{value}");
            assert!((decode(&encode(value)) - value).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn whole_numbers_come_back_as_they_went() {
        for value in [0, 1, 99, 100, 101, 1_073_741_823, 32_767, -1, -100, 9_007_199_254_740_991] {
            let there = encode(from_integer(value));
            assert_eq!(to_integer(decode(&there)), Some(value));
        }
    }

    #[test]
    fn fractions_are_written_as_the_server_does() {
        assert_eq!(to_text(0.5), ".5");
        assert_eq!(to_text(-0.5), "-.5");
        assert_eq!(to_text(10.0), "10");
    }
}
