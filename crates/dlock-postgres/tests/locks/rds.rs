//! What RDS Proxy says to a session that begins with settings. It is scripted: this one answer is all of it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

/// <https://github.com/psycopg/psycopg2/issues/1577>
const SAID: &str =
    "Feature not supported: RDS Proxy currently doesn\u{2019}t support command-line options.";

/// The way to it.
pub(crate) async fn rds_proxy() -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a client");
            tokio::spawn(refuse(client));
        }
    });
    let mut config = Config::new();
    config.host("127.0.0.1").port(here.port()).ssl_mode(SslMode::Disable).user("postgres");
    config
}

async fn refuse(mut client: TcpStream) {
    let length = client.read_u32().await.expect("a start-up message");
    let mut message = vec![0; usize::try_from(length).expect("a length") - 4];
    client.read_exact(&mut message).await.expect("a start-up message");
    assert!(message.windows(3).any(|it| it == b"-c "), "it begins with settings");
    let fields = format!("SFATAL\0VFATAL\0C0A000\0M{SAID}\0\0");
    let length = u32::try_from(fields.len() + 4).expect("a short message");
    let answer = [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat();
    client.write_all(&answer).await.expect("it listens");
}
