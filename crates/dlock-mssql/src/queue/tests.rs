use super::{Queue, milliseconds};
use crate::app::ACQUIRE;
use crate::{Key, Mode};
use dlock_core::{ByDropping, Exclusive, OwnedSession, Wait};
use dlock_testkit::proxy::Proxy;
use standin_mssql::Server;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tcp = Client<Compat<TcpStream>>;

async fn connect(
    server: &Server,
    address: SocketAddr,
) -> OwnedSession<Tcp, ByDropping<tiberius::error::Error>> {
    let config = Config::from_ado_string(&server.url()).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    OwnedSession::new(
        Client::connect(config, stream.compat_write()).await.unwrap(),
        ByDropping::default(),
    )
}

fn queue(wait: Wait) -> Queue {
    let (key, longest) = (Key::from(1), Duration::from_millis(50));
    Queue { batch: ACQUIRE, key, mode: Mode::Exclusive, wait, longest, refusal: "" }
}

#[test]
fn milliseconds_fit_the_server() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_micros(1001)), 2);
    assert_eq!(milliseconds(Duration::MAX), i32::MAX);
}

#[tokio::test]
async fn a_long_wait_is_asked_for_in_slices() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::start(server.addr()).unwrap();
    let mut holder = connect(&server, server.addr()).await;
    let mut waiter = connect(&server, proxy.addr()).await;
    assert!(holder.run(queue(Wait::No)).await.unwrap());
    proxy.reset();
    let (limit, start) = (Duration::from_millis(175), Instant::now());
    assert!(!waiter.run(queue(Wait::For(limit))).await.unwrap());
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    assert_eq!(proxy.round_trips(), 4, "three slices of 50 ms, and what is left");
}
