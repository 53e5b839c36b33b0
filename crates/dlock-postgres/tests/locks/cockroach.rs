//! A server that says of itself that it is CockroachDB. It is scripted: PostgreSQL, and one message more.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// `ParameterStatus`, as CockroachDB sends it.
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>
const VERSION: &[u8] = b"S\0\0\0\x25crdb_version\0CockroachDB v25.4.0\0";

/// `AuthenticationOk`.
const OK: &[u8] = b"R\0\0\0\x08\0\0\0\0";

/// The way to this server on which it says that it is CockroachDB.
pub(crate) async fn cockroach(config: &Config) -> Config {
    let [Host::Tcp(host)] = config.get_hosts() else { panic!("one host") };
    let server = SocketAddr::new(host.parse().expect("an address"), config.get_ports()[0]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a client");
            tokio::spawn(forward(client, server));
        }
    });
    let mut towards = Config::new();
    towards.host("127.0.0.1").port(here.port()).ssl_mode(SslMode::Disable);
    towards.user(config.get_user().expect("a user"));
    towards.dbname(config.get_dbname().expect("a database"));
    towards
}

async fn forward(mut client: TcpStream, server: SocketAddr) {
    let mut start_up = [0; 4];
    client.read_exact(&mut start_up).await.expect("a start-up message");
    let mut server = TcpStream::connect(server).await.expect("the server");
    server.write_all(&start_up).await.expect("it listens");
    let rest = usize::try_from(u32::from_be_bytes(start_up)).expect("a length") - start_up.len();
    let mut message = vec![0; rest];
    client.read_exact(&mut message).await.expect("a start-up message");
    server.write_all(&message).await.expect("it listens");
    let mut answer = [0; OK.len()];
    server.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(answer, OK, "a server that trusts");
    client.write_all(&[OK, VERSION].concat()).await.expect("it listens");
    // An end is an end.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
