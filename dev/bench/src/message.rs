//! Messages as the drivers send them: the texts of the statements in them.

use anyhow::{Context, Result, bail, ensure};

/// Simple queries of PostgreSQL: `Q`, the length with itself in four bytes, the text, a zero.
pub(crate) fn postgres(mut sent: &[u8]) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    while let [kind, rest @ ..] = sent {
        let length = rest.first_chunk().context("a cut message")?;
        let length = usize::try_from(u32::from_be_bytes(*length))?;
        ensure!(*kind == b'Q', "a message of kind {:?}: not a simple query", char::from(*kind));
        let text = rest.get(4..length - 1).context("a cut message")?;
        statements.push(String::from_utf8(text.to_vec())?);
        sent = &rest[length..];
    }
    Ok(statements)
}

/// COM_QUERY of MySQL: the length in three bytes, a number, `3`, the text.
pub(crate) fn mysql(mut sent: &[u8]) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    while let [a, b, c, _, rest @ ..] = sent {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0]))?;
        let packet = rest.get(..length).context("a cut packet")?;
        let text = packet.strip_prefix(&[3]).context("a packet that is not a COM_QUERY")?;
        statements.push(String::from_utf8(text.to_vec())?);
        sent = &rest[length..];
    }
    Ok(statements)
}

/// What stands between a packet's head and the first parameter of a remote procedure call: all
/// headers (22 bytes), the procedure's number (4) and flags (2).
const BEFORE: usize = 28;

/// Calls of `sp_executesql`, one packet each: a head with the length in bytes 2 and 3.
pub(crate) fn tds(mut sent: &[u8]) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    while let [kind, status, high, low, _, _, _, _, ..] = sent {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        ensure!([*kind, *status] == [3, 1], "not a remote procedure call of one packet");
        let call = sent.get(8..length).context("a cut packet")?;
        statements.push(parameter(call.get(BEFORE..).context("a cut call")?)?);
        sent = &sent[length..];
    }
    Ok(statements)
}

/// A parameter: the letters of its name and the name, a flag, its type, which is `nvarchar` of up to
/// 4000 letters, then its size in bytes and itself. Letters have two bytes.
fn parameter(bytes: &[u8]) -> Result<String> {
    let (letters, rest) = bytes.split_first().context("a cut parameter")?;
    let rest = rest.get(usize::from(*letters) * 2..).context("a cut name")?;
    let [_, 0xe7, _, _, _, _, _, _, _, low, high, rest @ ..] = rest else {
        bail!("the first parameter is no short text");
    };
    let size = usize::from(u16::from_le_bytes([*low, *high]));
    let text = rest.get(..size).context("a cut text")?;
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Ok(String::from_utf16(&units.collect::<Vec<_>>())?)
}

#[cfg(test)]
mod tests {
    use super::{BEFORE, mysql, postgres, tds};

    #[test]
    fn statements_are_read_off_the_wire() {
        let sent = b"Q\0\0\0\x0dSELECT 1\0Q\0\0\0\x05\0";
        assert_eq!(postgres(sent).expect("two queries"), ["SELECT 1", ""]);
        let sent = b"\x09\0\0\0\x03SELECT 1\x01\0\0\0\x03";
        assert_eq!(mysql(sent).expect("two queries"), ["SELECT 1", ""]);
    }

    #[test]
    fn another_kind_of_message_is_an_error() {
        postgres(b"P\0\0\0\x05\0").expect_err("a Parse");
        mysql(b"\x01\0\0\0\x0e").expect_err("a ping");
        tds(b"\x01\x01\0\x08\0\0\0\0").expect_err("a batch");
    }

    #[test]
    fn the_statement_of_a_remote_procedure_call_is_its_first_parameter() {
        let mut call = vec![0; BEFORE];
        call.extend([1, b's', 0, 0, 0xe7, 0x40, 0x1f, 0, 0, 0, 0, 0, 4, 0, b'G', 0, b'O', 0]);
        call.extend(b"what else it is given");
        let length = u16::try_from(8 + call.len()).expect("a small packet").to_be_bytes();
        let mut sent = [&[3, 1], &length[..], &[0; 4]].concat();
        sent.extend(call);
        assert_eq!(tds(&sent.repeat(2)).expect("two calls"), ["GO", "GO"]);
    }
}
