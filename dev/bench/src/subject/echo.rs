//! Two messages to a server that takes no time: what is left of a pair without database and driver.

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use crate::locker::Locker;
use crate::place::Place;
use crate::source::Source;
use crate::stand_in::{Role, StandIn};

/// About what an acquire sends, and what comes back.
const SIZE: usize = 64;

impl Source for StandIn {
    async fn open(_: Place) -> Result<Self> {
        spawn_blocking(|| Self::start(Role::Echo)).await?
    }
}

pub(super) struct Echo {
    stream: TcpStream,
}

impl Echo {
    async fn ask(&mut self) -> Result<()> {
        let mut message = [0; SIZE];
        self.stream.write_all(&message).await?;
        self.stream.read_exact(&mut message).await?;
        Ok(())
    }
}

impl Locker for Echo {
    type Source = StandIn;

    async fn connect(server: &StandIn, _: u32) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream })
    }

    async fn acquire(&mut self) -> Result<()> {
        self.ask().await
    }

    async fn release(&mut self) -> Result<()> {
        self.ask().await
    }
}
