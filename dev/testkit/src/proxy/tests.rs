//! A proxy in front of an echo server.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::Proxy;

const SILENCE: Duration = Duration::from_millis(150);

fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || io::copy(&mut &stream, &mut &stream));
        }
    });
    addr
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.addr()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream
}

fn ask(stream: &mut TcpStream, text: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(text)?;
    let mut answer = vec![0; text.len()];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn is_silent(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(SILENCE)).unwrap();
    let error = stream.read_exact(&mut [0]).unwrap_err();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[test]
fn counts_round_trips_and_bytes() {
    let proxy = Proxy::start(echo()).unwrap();
    let mut stream = client(&proxy);
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, b"hello").unwrap(), b"hello");
    }
    assert_eq!((proxy.round_trips(), proxy.connections()), (3, 1));
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (15, 15));
    proxy.reset();
    ask(&mut stream, b"!").unwrap();
    assert_eq!((proxy.round_trips(), proxy.bytes_up()), (1, 1));
}

#[test]
fn cut_ends_connections_and_lets_new_ones_in() {
    let proxy = Proxy::start(echo()).unwrap();
    let mut stream = client(&proxy);
    ask(&mut stream, b"a").unwrap();
    proxy.cut();
    assert!(!matches!(stream.read(&mut [0]), Ok(1..)), "the old connection is dead");
    assert_eq!(ask(&mut client(&proxy), b"b").unwrap(), b"b");
}

#[test]
fn stall_holds_bytes_back_until_resume() {
    let proxy = Proxy::start(echo()).unwrap();
    let mut stream = client(&proxy);
    ask(&mut stream, b"a").unwrap();
    proxy.stall();
    stream.write_all(b"b").unwrap();
    assert!(is_silent(&mut stream));
    proxy.resume();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"b");
}

#[test]
fn a_black_hole_is_silent_and_its_connections_stay_dead() {
    let proxy = Proxy::start(echo()).unwrap();
    let mut old = client(&proxy);
    ask(&mut old, b"a").unwrap();
    proxy.blackhole();
    let mut new = client(&proxy);
    new.write_all(b"b").unwrap();
    old.write_all(b"b").unwrap();
    assert!(is_silent(&mut old) && is_silent(&mut new));
    proxy.resume();
    assert!(is_silent(&mut old), "what was lost stays lost");
    assert_eq!(ask(&mut client(&proxy), b"c").unwrap(), b"c");
}

#[test]
fn refuse_keeps_open_connections() {
    let proxy = Proxy::start(echo()).unwrap();
    let mut stream = client(&proxy);
    ask(&mut stream, b"a").unwrap();
    proxy.refuse();
    let error = TcpStream::connect(proxy.addr()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(ask(&mut stream, b"b").unwrap(), b"b");
    proxy.resume();
    assert_eq!(ask(&mut client(&proxy), b"c").unwrap(), b"c");
}
