//! One connection through a proxy.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::gate::{lost, passes};
use super::serve::Place;

const BUFFER: usize = 16 * 1024;

/// Carries bytes both ways until both ends are closed or one of them breaks.
pub(super) async fn carry(mut client: TcpStream, place: Place) {
    let mut gate = place.gate.clone();
    if !passes(&mut gate).await {
        return hold(client).await;
    }
    let Ok(mut server) = TcpStream::connect(place.upstream).await else {
        return;
    };
    let _ = client.set_nodelay(true).and(server.set_nodelay(true));
    tokio::select! {
        biased;
        () = lost(gate) => {}
        _ = both_ways(&mut client, &mut server, &place) => return,
    }
    // Neither end is told, not even when the other one goes.
    hold((client, server)).await;
}

async fn hold<T>(streams: T) {
    std::future::pending::<()>().await;
    drop(streams);
}

async fn both_ways(
    client: &mut TcpStream,
    server: &mut TcpStream,
    place: &Place,
) -> io::Result<()> {
    let asked = AtomicBool::new(false);
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let up = pump(from_client, to_server, place, |bytes| {
        asked.store(true, Relaxed);
        place.tally.sent(bytes);
    });
    let down = pump(from_server, to_client, place, |bytes| {
        place.tally.received(bytes, asked.swap(false, Relaxed));
    });
    tokio::try_join!(up, down).map(drop)
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    place: &Place,
    count: impl Fn(u64),
) -> io::Result<()> {
    let mut gate = place.gate.clone();
    let mut buffer = [0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        let delay = *place.delay.borrow();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if !passes(&mut gate).await {
            std::future::pending::<()>().await;
        }
        if read == 0 {
            return to.shutdown().await;
        }
        // Counted before it is passed on: whoever has the answer sees it counted.
        count(u64::try_from(read).unwrap_or(u64::MAX));
        to.write_all(&buffer[..read]).await?;
    }
}
