//! A server that changes what a session is opened with, as some hosted ones do: a piece of its start-up message
//! is another on the way.

use crate::{address, towards};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// The way to the server on which `from` becomes `to`, of the same length, in every start-up message.
pub(crate) async fn rewriting(from: &'static str, to: &'static str) -> Config {
    assert_eq!(from.len(), to.len());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    let server = address();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a client");
            tokio::spawn(forward(client, server, from, to));
        }
    });
    let mut config = towards(here);
    config.ssl_mode(SslMode::Disable);
    config
}

async fn forward(mut client: TcpStream, server: SocketAddr, from: &str, to: &str) {
    let length = client.read_u32().await.expect("a start-up message");
    let mut message = vec![0; usize::try_from(length).expect("a length") - 4];
    client.read_exact(&mut message).await.expect("a start-up message");
    if let Some(at) = message.windows(from.len()).position(|it| it == from.as_bytes()) {
        message[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    let mut server = TcpStream::connect(server).await.expect("the server");
    server.write_u32(length).await.expect("it listens");
    server.write_all(&message).await.expect("it listens");
    // An end is an end.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
