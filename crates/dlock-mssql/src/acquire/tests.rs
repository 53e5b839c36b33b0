use super::{Acquire, by_chance, milliseconds};
use crate::request::Subject;
use crate::session::Ending;
use crate::statement::ACQUIRE;
use crate::{Key, Mode};
use dlock_core::{Exclusive, OwnedSession, Wait};
use dlock_testkit::proxy::Proxy;
use standin_mssql::Server;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tcp = Client<Compat<TcpStream>>;

async fn connect(server: &Server, address: SocketAddr) -> OwnedSession<Tcp, Ending> {
    let config = Config::from_ado_string(&server.url()).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let client = Client::connect(config, stream.compat_write()).await.unwrap();
    OwnedSession::new(client, Ending::of(&Subject::new(Key::from(1))))
}

fn acquire(wait: Wait) -> Acquire {
    let subject = Subject::new(Key::from(1));
    let (statement, longest) = (ACQUIRE, Duration::from_millis(50));
    Acquire { statement, subject, mode: Mode::Exclusive, wait, longest, refusal: "" }
}

#[test]
fn milliseconds_fit_the_server() {
    assert_eq!(milliseconds(Duration::ZERO), 0);
    assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
    assert_eq!(milliseconds(Duration::from_micros(1001)), 2);
    assert_eq!(milliseconds(Duration::MAX), i32::MAX);
}

#[test]
fn a_slice_is_nine_tenths_and_more_of_what_was_asked_for() {
    for longest in [Duration::from_millis(30), Duration::from_secs(25), Duration::MAX] {
        let slices = Vec::from_iter((0..100).map(|_| by_chance(longest)));
        assert!(slices.iter().all(|slice| *slice <= longest && *slice >= longest / 10 * 9));
        assert!(slices.iter().any(|slice| *slice != slices[0]), "{longest:?}");
    }
}

#[tokio::test]
async fn a_long_wait_is_asked_for_in_slices() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::start(server.addr()).unwrap();
    let mut holder = connect(&server, server.addr()).await;
    let mut waiter = connect(&server, proxy.addr()).await;
    assert!(holder.run(acquire(Wait::No)).await.unwrap());
    proxy.reset();
    let (limit, start) = (Duration::from_millis(175), Instant::now());
    assert!(!waiter.run(acquire(Wait::For(limit))).await.unwrap());
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    assert_eq!(proxy.round_trips(), 4, "three slices of about 50 ms, and what is left");
}
