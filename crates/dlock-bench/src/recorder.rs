//! What a lock sends, recorded on the wire: the raw driver is then measured with those very
//! statements, whatever they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::place::{Database, Place};

type Bytes = Arc<Mutex<Vec<u8>>>;

/// A proxy for one connection that keeps what the client sends.
#[derive(Debug)]
pub(crate) struct Recorder {
    place: Place,
    sent: Bytes,
    task: JoinHandle<()>,
}

impl Recorder {
    /// A recorder in front of the server.
    pub(crate) async fn start(upstream: Place) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let place = upstream.through(listener.local_addr()?);
        let sent = Bytes::default();
        let task = tokio::spawn(serve(listener, upstream.address(), Arc::clone(&sent)));
        Ok(Self { place, sent, task })
    }

    /// Where to connect.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// Forgets what was sent so far.
    pub(crate) fn reset(&self) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The texts of the statements that were sent.
    pub(crate) fn statements(&self) -> Result<Vec<String>> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        match self.place.database {
            Database::Postgres => postgres(&sent),
            Database::Mysql | Database::Mariadb => mysql(&sent),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, upstream: SocketAddr, sent: Bytes) {
    let Ok((client, _)) = listener.accept().await else { return };
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    let up = record(from_client, to_server, sent);
    let down = async move { tokio::io::copy(&mut from_server, &mut to_client).await.map(drop) };
    // The recording is read meanwhile; how the connection ends is of no interest.
    let _ = tokio::join!(up, down);
}

async fn record(
    mut from: OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    sent: Bytes,
) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let bytes = &buffer[..read];
        sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        to.write_all(bytes).await?;
    }
}

/// Simple queries: `Q`, the length with itself in four bytes, the text, a zero.
fn postgres(mut sent: &[u8]) -> Result<Vec<String>> {
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

/// COM_QUERY: the length in three bytes, a number, `3`, the text.
fn mysql(mut sent: &[u8]) -> Result<Vec<String>> {
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

#[cfg(test)]
mod tests {
    use super::{mysql, postgres};

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
    }
}
