//! A TCP proxy on the loopback interface that counts what passes and can fail in every way a
//! network does.

mod gate;
mod pipe;
mod serve;
mod tally;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc as sync;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use gate::Gate;
use serve::{Command, Order};
use tally::Tally;

/// A TCP proxy in front of one server, on a thread of its own: it works beside any runtime.
///
/// Every method that changes what it does has taken effect when it returns.
#[derive(Debug)]
pub struct Proxy {
    addr: SocketAddr,
    tally: Arc<Tally>,
    gate: watch::Sender<Gate>,
    delay: watch::Sender<Duration>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy on a free loopback port that forwards to `upstream`.
    ///
    /// # Errors
    /// Returns an error if no port can be had.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let tally = Arc::<Tally>::default();
        let (gate, watched) = watch::channel(Gate::Open);
        let (delay, delayed) = watch::channel(Duration::ZERO);
        let (orders, inbox) = mpsc::unbounded_channel();
        let tallied = Arc::clone(&tally);
        let place = serve::Place { upstream, addr, tally: tallied, gate: watched, delay: delayed };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(serve::serve(listener, place, inbox));
        })?;
        Ok(Self { addr, tally, gate, delay, orders: Some(orders), thread: Some(thread) })
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The round trips since the start or the last [`reset`](Self::reset): bursts of bytes from
    /// a client that the server answered.
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.tally.round_trips()
    }

    /// The bytes that went from clients to the server.
    #[must_use]
    pub fn bytes_up(&self) -> u64 {
        self.tally.bytes_up()
    }

    /// The bytes that came from the server to clients.
    #[must_use]
    pub fn bytes_down(&self) -> u64 {
        self.tally.bytes_down()
    }

    /// The connections accepted so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.tally.connections()
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.tally.reset();
    }

    /// Closes every connection on both sides (FIN, or RST where bytes are unread); new ones work.
    pub fn cut(&self) {
        self.order(Command::Cut);
    }

    /// Goes silent: nothing passes any more and nobody is told. Connections of that time stay
    /// dead for ever; new ones are accepted, but silent, until [`resume`](Self::resume).
    pub fn blackhole(&self) {
        self.gate.send_replace(Gate::Lost);
        self.order(Command::Settle);
    }

    /// Holds all bytes back until [`resume`](Self::resume), which lets them pass.
    pub fn stall(&self) {
        self.gate.send_replace(Gate::Shut);
        self.order(Command::Settle);
    }

    /// Has all bytes take so much longer from now on, each way.
    pub fn delay(&self, delay: Duration) {
        self.delay.send_replace(delay);
    }

    /// Refuses new connections until [`resume`](Self::resume); open ones go on.
    pub fn refuse(&self) {
        self.order(Command::Refuse);
    }

    /// Ends a stall, a refusal and a silence.
    pub fn resume(&self) {
        self.order(Command::Accept);
        self.gate.send_replace(Gate::Open);
    }

    fn order(&self, command: Command) {
        let (done, is_done) = sync::channel();
        if let Some(orders) = &self.orders {
            // The thread is there for as long as `orders` is: both are dropped in `drop`.
            let _ = orders.send(Order { command, done });
            let _ = is_done.recv();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
