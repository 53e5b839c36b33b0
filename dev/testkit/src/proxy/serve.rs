//! The loop of a proxy's thread: new connections and orders.

use std::future::pending;
use std::io;
use std::net::{self, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc as sync;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::gate::Gate;
use super::pipe;
use super::tally::Tally;

/// What an order asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Command {
    Cut,
    Refuse,
    Accept,
    Settle,
}

/// An order, and whom to tell when it is done.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) command: Command,
    pub(super) done: sync::Sender<()>,
}

/// What every connection of a proxy knows.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) upstream: SocketAddr,
    pub(super) addr: SocketAddr,
    pub(super) tally: Arc<Tally>,
    pub(super) gate: watch::Receiver<Gate>,
    pub(super) delay: watch::Receiver<Duration>,
}

/// Serves until the orders end.
pub(super) async fn serve(
    listener: net::TcpListener,
    place: Place,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut listener = TcpListener::from_std(listener).ok();
    let mut pipes = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            order = orders.recv() => match order {
                Some(order) => obey(order, &mut listener, &mut pipes, &place).await,
                None => return,
            },
            client = accept(listener.as_ref()) => {
                place.tally.connected();
                pipes.spawn(pipe::carry(client, place.clone()));
            }
            Some(_) = pipes.join_next() => {}
        }
    }
}

async fn obey(
    order: Order,
    listener: &mut Option<TcpListener>,
    pipes: &mut JoinSet<()>,
    place: &Place,
) {
    match order.command {
        Command::Cut => pipes.shutdown().await,
        Command::Refuse => *listener = None,
        Command::Accept if listener.is_none() => *listener = listen(place.addr).ok(),
        // The thread is here, so no bytes are on their way through it.
        Command::Accept | Command::Settle => {}
    }
    // Whoever gave the order may have been killed meanwhile.
    let _ = order.done.send(());
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => match listener.accept().await {
            Ok((client, _)) => client,
            Err(_) => pending().await,
        },
        None => pending().await,
    }
}
