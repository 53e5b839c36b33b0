use futures::io::{AsyncRead, AsyncWrite};
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// A TCP stream that can be watched for its end by somebody who does not read from it.
#[derive(Clone, Debug)]
pub struct Wire(Arc<TcpStream>);

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self(Arc::new(stream))
    }

    /// Completes when there is something to read, or never will be again: whether it is over.
    pub(crate) async fn stirs(&self) -> bool {
        !matches!(self.0.peek(&mut [0]).await, Ok(1..))
    }

    /// Completes when it is over, and reads away what comes before: nobody else reads from it any more. Whether
    /// the server has ended it.
    pub(crate) async fn ended(&self) -> bool {
        while self.0.readable().await.is_ok() {
            match self.0.try_read(&mut [0; 1024]) {
                Ok(0) => return true,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether it is over now, as far as the runtime has heard. What waits to be read hides its end.
    pub(crate) fn is_over(&self) -> bool {
        let (mut context, mut byte) = (Context::from_waker(Waker::noop()), [0]);
        let peeked = self.0.poll_peek(&mut context, &mut ReadBuf::new(&mut byte));
        matches!(peeked, Poll::Ready(Ok(0) | Err(_)))
    }
}

/// What does not block: ready when it was done, else woken when it may be tried again.
fn unblocked(done: io::Result<usize>) -> Option<Poll<io::Result<usize>>> {
    let blocks = matches!(&done, Err(error) if error.kind() == ErrorKind::WouldBlock);
    (!blocks).then_some(Poll::Ready(done))
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_read_ready(context))?;
            if let Some(read) = unblocked(self.0.try_read(buffer)) {
                return read;
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.0.poll_write_ready(context))?;
            if let Some(written) = unblocked(self.0.try_write(bytes)) {
                return written;
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Its end is that of its last owner.
    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
