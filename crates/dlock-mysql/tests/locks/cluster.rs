//! What the check-up says of clusters. They are scripted: a plain server, and a way to it on which some
//! statements are others, whose answers are those of a node.

use crate::looks::own;
use crate::ms;
use crate::server::Flavour;
use dlock_locks::Severity::{Fault, Warning};
use dlock_locks::{Finding, Severity};
use dlock_mysql::Locks;
use dlock_mysql::mysql_async::{Opts, OptsBuilder};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

/// A piece of a statement, and what is asked in place of the statement.
type Script = &'static [(&'static str, &'static str)];

const NODE: &str = "SELECT 'wsrep_on','ON'";
const ALONE: Script = &[("'wsrep_on'", NODE), ("'wsrep_cluster_size'", "SELECT 'n','1'")];
const GALERA: Script = &[("'wsrep_on'", NODE), ("'wsrep_cluster_size'", "SELECT 'n','3'")];
/// A node that refuses named locks, as MariaDB's do in newer versions.
/// <https://jira.mariadb.org/browse/MDEV-30473>
const REFUSING: Script = &[
    ("'wsrep_on'", NODE),
    ("'wsrep_cluster_size'", "SELECT 'n','3'"),
    ("GET_LOCK", "SIGNAL SQLSTATE '42000' SET MYSQL_ERRNO=1235"),
];
const SINGLE: Script = &[
    ("'wsrep_on'", "SELECT 'group_replication_single_primary_mode','ON'"),
    ("replication_group_members", "SELECT 3"),
];
const SEVERAL: Script = &[
    ("'wsrep_on'", "SELECT 'group_replication_single_primary_mode','OFF'"),
    ("replication_group_members", "SELECT 3"),
];

async fn check(opts: &OptsBuilder, script: Script) -> Vec<Finding> {
    let opts = scripted(opts, script).await;
    let locks = Locks::builder(opts).lease(ms(3000)).build().expect("a thread");
    locks.check().await.expect("a check-up")
}

fn names(found: &[Finding]) -> Vec<(&'static str, Severity)> {
    found.iter().map(|finding| (finding.name, finding.severity)).collect()
}

/// Nodes of Galera: several are a fault, one may become several.
pub(crate) async fn galera<E: Flavour>() {
    let (_server, opts) = own::<E>(&[]);
    let before = names(&check(&opts, &[]).await);
    assert!(before.iter().all(|(name, _)| *name == "cannot-look"), "{before:?}");
    let of = |severity| [&[("several-nodes", severity)], &before[..]].concat();
    assert_eq!(names(&check(&opts, ALONE).await), of(Warning));
    let found = check(&opts, GALERA).await;
    assert_eq!(names(&found), of(Fault));
    assert!(found[0].what.contains("a Galera cluster of 3"), "{}", found[0]);
}

/// That named locks are refused is a finding, and no failure of the check-up.
pub(crate) async fn refusing<E: Flavour>() {
    let (_server, opts) = own::<E>(&[]);
    let found = names(&check(&opts, REFUSING).await);
    assert_eq!(found[..2], [("locks-nothing", Fault), ("several-nodes", Fault)], "{found:?}");
}

/// Members of a replication group: where several take writes, it is a fault.
pub(crate) async fn group<E: Flavour>() {
    let (_server, opts) = own::<E>(&[]);
    assert_eq!(names(&check(&opts, SINGLE).await), [("several-nodes", Warning)]);
    let found = check(&opts, SEVERAL).await;
    assert_eq!(names(&found), [("several-nodes", Fault)]);
    assert!(found[0].what.contains("a replication group of 3"), "{}", found[0]);
}

/// The way to this server on which statements are replaced.
async fn scripted(opts: &OptsBuilder, script: Script) -> OptsBuilder {
    let given = Opts::from(opts.clone());
    let address = (given.ip_or_hostname(), given.tcp_port());
    let server = tokio::net::lookup_host(address).await.expect("a host").next().expect("one");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let here = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.expect("a client");
            tokio::spawn(forward(client, server, script));
        }
    });
    opts.clone().ip_or_hostname("127.0.0.1").tcp_port(here.port())
}

async fn forward(mut client: TcpStream, server: SocketAddr, script: Script) {
    let mut server = TcpStream::connect(server).await.expect("the server");
    let (mut asks, mut told) = client.split();
    let (mut answers, mut sent) = server.split();
    let up = async {
        while let Some(packet) = packet(&mut asks).await {
            if sent.write_all(&replaced(packet, script)).await.is_err() {
                return;
            }
        }
    };
    // An end is an end.
    tokio::select! {
        () = up => {}
        _ = copy(&mut answers, &mut told) => {}
    }
}

/// With its head: the length in three bytes, and its number.
/// <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html>
async fn packet(from: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut packet = vec![0; 4];
    from.read_exact(&mut packet).await.ok()?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]);
    packet.resize(4 + usize::try_from(length).expect("a length"), 0);
    from.read_exact(&mut packet[4..]).await.ok()?;
    Some(packet)
}

/// A statement (`COM_QUERY`, 3) that has a piece of the script's.
fn replaced(packet: Vec<u8>, script: Script) -> Vec<u8> {
    let [_, _, _, 0, 3, text @ ..] = &packet[..] else { return packet };
    let text = String::from_utf8_lossy(text);
    let Some((_, to)) = script.iter().find(|(piece, _)| text.contains(piece)) else {
        return packet;
    };
    let length = u32::try_from(to.len() + 1).expect("a short statement").to_le_bytes();
    [&length[..3], &[0, 3], to.as_bytes()].concat()
}
