//! What a lock sends, recorded on the wire: the raw driver is then measured with those very
//! statements, whatever they are.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::message::{mysql, postgres, tds};
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
            Database::Mssql => tds(&sent),
            Database::Oracle => bail!("the stand-in for Oracle has no wire"),
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
