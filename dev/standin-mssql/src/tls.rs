//! TLS: its handshake travels in packets, and what comes after it does not.

use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring::default_provider};
use tokio_rustls::server::TlsStream;

use crate::packet::{HEADER, PRELOGIN};

/// What accepts with this certificate and its key, both in PEM.
pub(crate) fn acceptor(certificate: &str, key: &str) -> io::Result<TlsAcceptor> {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(io::Error::other)?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let builder = builder.with_no_client_auth();
    let config = builder.with_single_cert(vec![certificate.map_err(io::Error::other)?], key);
    let mut config = config.map_err(io::Error::other)?;
    // They would come behind the handshake, and the client reads no packets any more.
    config.send_tls13_tickets = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Shakes hands.
pub(crate) async fn accept(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> io::Result<TlsStream<Packets>> {
    let packets = Packets { stream, is_over: false, header: Vec::new(), left: 0, out: Vec::new() };
    let mut stream = acceptor.accept(packets).await?;
    stream.get_mut().0.is_over = true;
    Ok(stream)
}

/// A connection whose handshake is in packets.
#[derive(Debug)]
pub(crate) struct Packets {
    stream: TcpStream,
    /// The handshake is over.
    is_over: bool,
    /// What is read of a packet's header.
    header: Vec<u8>,
    /// What is left to read of a packet.
    left: usize,
    /// What is written, and not sent yet; framed when it is flushed.
    out: Vec<u8>,
}

impl Packets {
    /// Reads a packet's header, whose length is that of the whole. `false`: the client has gone.
    fn poll_header(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        while self.left == 0 {
            let mut byte = [0];
            let mut buffer = ReadBuf::new(&mut byte);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.header.extend(byte);
            // Nothing more comes in packets.
            self.is_over = self.header[0] != PRELOGIN;
            if self.is_over {
                return Poll::Ready(Ok(true));
            }
            if self.header.len() == HEADER {
                let length = u16::from_be_bytes([self.header[2], self.header[3]]);
                self.left = usize::from(length).saturating_sub(HEADER);
                self.header.clear();
            }
        }
        Poll::Ready(Ok(true))
    }
}

impl AsyncRead for Packets {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_over && !ready!(self.poll_header(context))? {
            return Poll::Ready(Ok(()));
        }
        if self.is_over && !self.header.is_empty() {
            buffer.put_slice(&mem::take(&mut self.header));
            return Poll::Ready(Ok(()));
        }
        if self.is_over {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let mut bytes = vec![0; self.left.min(buffer.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        self.left -= part.filled().len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Packets {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_over {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        if self.out.is_empty() {
            self.out.extend([PRELOGIN, 1, 0, 0, 0, 0, 0, 0]);
        }
        self.out.extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What is left of a packet that was sent in part has lost its header.
        if self.out.first() == Some(&PRELOGIN) && self.out[2..4] == [0, 0] {
            let length = u16::try_from(self.out.len()).map_err(io::Error::other)?;
            self.out[2..4].copy_from_slice(&length.to_be_bytes());
        }
        while !self.out.is_empty() {
            let this = &mut *self;
            let sent = ready!(Pin::new(&mut this.stream).poll_write(context, &this.out))?;
            this.out.drain(..sent);
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
