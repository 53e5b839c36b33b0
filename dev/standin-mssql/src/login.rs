//! The handshake: what is answered to PRELOGIN and to LOGIN7.

use crate::token::{Answer, Change};

/// Reading past the end of a message.
#[derive(Debug)]
pub(crate) struct Malformed;

/// "Encryption is not supported by the server": the login goes in the clear.
const NOT_SUPPORTED: u8 = 0x02;

/// "Encryption is available and on": everything after the handshake of TLS is ciphered.
const ON: u8 = 0x01;
/// Which of the options it is.
const ENCRYPTION: u8 = 0x01;
/// Ends the table of options.
const END: u8 = 0xFF;

/// Whether a client's half can do with encryption: what it says to that, the table of options points to.
pub(crate) fn asks_for_encryption(body: &[u8]) -> bool {
    let table = body.chunks_exact(5).take_while(|entry| entry[0] != END);
    let mut said = table.filter(|entry| entry[0] == ENCRYPTION);
    let at = said.next().map(|entry| usize::from(u16::from_be_bytes([entry[1], entry[2]])));
    at.and_then(|at| body.get(at)).is_some_and(|said| *said != NOT_SUPPORTED)
}

/// The server's half of the PRELOGIN exchange.
pub(crate) fn prelogin(is_encrypted: bool) -> Vec<u8> {
    let encryption = if is_encrypted { [ON] } else { [NOT_SUPPORTED] };
    let options: [(u8, &[u8]); 4] =
        [(0x00, &[16, 0, 0x10, 0x00, 0, 0]), (ENCRYPTION, &encryption), (0x02, &[0]), (0x04, &[0])];
    let mut offset = u16::try_from(options.len() * 5 + 1).expect("a short table");
    let (mut table, mut values) = (Vec::new(), Vec::new());
    for (token, value) in options {
        let length = u16::try_from(value.len()).expect("a short value");
        table.push(token);
        table.extend(offset.to_be_bytes());
        table.extend(length.to_be_bytes());
        values.extend(value);
        offset += length;
    }
    table.push(END);
    table.append(&mut values);
    table
}

/// What a client says of itself in LOGIN7.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub(crate) version: u32,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) program: String,
    pub(crate) database: String,
}

impl Login {
    /// Reads the parts that this server cares about.
    pub(crate) fn read(body: &[u8]) -> Result<Login, Malformed> {
        let version = body.get(4..8).ok_or(Malformed)?;
        Ok(Login {
            version: u32::from_le_bytes(version.try_into().map_err(|_| Malformed)?),
            host: field(body, 36)?,
            user: field(body, 40)?,
            program: field(body, 48)?,
            database: field(body, 68)?,
        })
    }

    /// The tokens of a login that was let in, as far as the final DONE.
    pub(crate) fn welcome(&self, answer: &mut Answer, database: &str) {
        answer.change(&Change::Database(database, "master"));
        answer.change(&Change::PacketSize("4096", "4096"));
        answer.login_ack(self.version);
    }
}

/// A text of the variable part, pointed to by an offset and a length in UTF-16 units.
fn field(body: &[u8], at: usize) -> Result<String, Malformed> {
    let offset = usize::from(u16_at(body, at)?);
    let length = usize::from(u16_at(body, at + 2)?) * 2;
    let bytes = body.get(offset..offset + length).ok_or(Malformed)?;
    Ok(utf16(bytes))
}

fn u16_at(body: &[u8], at: usize) -> Result<u16, Malformed> {
    let bytes = body.get(at..at + 2).ok_or(Malformed)?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

/// Little-endian UTF-16 as text.
pub(crate) fn utf16(bytes: &[u8]) -> String {
    let units: Vec<u16> =
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units)
}
