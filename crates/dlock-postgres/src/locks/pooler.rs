//! Whether somebody stands between a session and its server process.

use super::{Server, ServerError, statement};
use crate::answer::Native;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::{Client, SimpleQueryMessage};

/// Refuses a session whose statements may run in another session's process.
///
/// A proxy that keeps sessions whole has numbers of its own too; a pooler of transactions gives the process
/// to whoever begins one while this session is idle.
pub(super) async fn refuse(server: &Server, client: &Client, pid: i32) -> Result<(), ServerError> {
    if start_up_pid(client).await == Some(pid) {
        return Ok(());
    }
    let (other, connection) = server.plain("dlock").await?;
    let connection = tokio::spawn(connection);
    let others = pid_in_transaction(&other).await;
    drop(other);
    // What it ends with is nobody's business.
    let _ = connection.await;
    if others? == pid { Err(ServerError::Pooler(None)) } else { Ok(()) }
}

async fn pid_in_transaction(client: &Client) -> Result<i32, ServerError> {
    let answers = client.simple_query(statement::PID_IN_TRANSACTION).await;
    let answers = answers.map_err(ServerError::opening)?;
    let pid = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    pid.ok_or(ServerError::Answer)
}

/// The process that the start-up named. The driver tells it to nobody but the server, in a cancel request:
/// this one goes to us.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html> (`CancelRequest`)
async fn start_up_pid(client: &Client) -> Option<i32> {
    let (ours, mut theirs) = tokio::io::duplex(64);
    // Whoever asks for TLS gets it.
    theirs.write_all(b"S").await.ok()?;
    let sent: Result<(), Native> = client.cancel_token().cancel_query_raw(ours, Through).await;
    sent.ok()?;
    let mut request = Vec::new();
    theirs.read_to_end(&mut request).await.ok()?;
    let pid = request.last_chunk::<8>()?.first_chunk::<4>()?;
    Some(i32::from_be_bytes(*pid))
}

/// A connector that encrypts nothing.
struct Through;

/// What goes through it.
struct Pipe(DuplexStream);

impl TlsConnect<DuplexStream> for Through {
    type Stream = Pipe;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Pipe>>;

    fn connect(self, stream: DuplexStream) -> Self::Future {
        std::future::ready(Ok(Pipe(stream)))
    }
}

impl TlsStream for Pipe {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
