//! TDS packets: a message is one or more of them, the last one marked.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub(crate) const BATCH: u8 = 0x01;
pub(crate) const RPC: u8 = 0x03;
pub(crate) const TABULAR: u8 = 0x04;
pub(crate) const ATTENTION: u8 = 0x06;
pub(crate) const TRANSACTION: u8 = 0x0E;
pub(crate) const LOGIN: u8 = 0x10;
pub(crate) const PRELOGIN: u8 = 0x12;

const LAST: u8 = 0x01;
const IGNORE: u8 = 0x02;
const RESET: u8 = 0x08 | 0x10;
pub(crate) const HEADER: usize = 8;
/// Octets of a packet, header included, as agreed at login.
const SIZE: usize = 4096;

/// One message of a client.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    /// The session is to be made as new before the message is served.
    pub(crate) reset: bool,
    pub(crate) body: Vec<u8>,
}

/// Reads one message; `None` when the client has closed the connection between two.
pub(crate) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<Option<Message>> {
    let mut message = Message { kind: 0, reset: false, body: Vec::new() };
    loop {
        let mut header = [0; HEADER];
        if let Err(error) = from.read_exact(&mut header).await {
            let closed = error.kind() == io::ErrorKind::UnexpectedEof;
            return if closed { Ok(None) } else { Err(error) };
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut payload = vec![0; length.saturating_sub(HEADER)];
        from.read_exact(&mut payload).await?;
        message.kind = header[0];
        message.reset |= header[1] & RESET != 0;
        message.body.append(&mut payload);
        match (header[1] & LAST != 0, header[1] & IGNORE != 0) {
            (true, false) => return Ok(Some(message)),
            (true, true) => message.body.clear(),
            (false, _) => {}
        }
    }
}

/// Writes an answer as one message.
pub(crate) async fn write<W: AsyncWrite + Unpin>(
    to: &mut W,
    session: u16,
    body: &[u8],
) -> io::Result<()> {
    let mut out = Vec::with_capacity(body.len() + HEADER);
    let chunks = body.chunks(SIZE - HEADER);
    let last = chunks.len().saturating_sub(1);
    for (number, chunk) in chunks.enumerate() {
        let length = u16::try_from(chunk.len() + HEADER).expect("a chunk is short");
        out.extend([TABULAR, u8::from(number == last)]);
        out.extend(length.to_be_bytes());
        out.extend(session.to_be_bytes());
        out.extend([u8::try_from(number % 256).expect("below 256"), 0]);
        out.extend(chunk);
    }
    to.write_all(&out).await?;
    to.flush().await
}
