//! PostgreSQL.

use crate::both_ways;
use crate::neighbour::{Name, Neighbour};
use crate::party::{Party, Three};
use dlock_db::postgres::tokio_postgres::{Client, NoTls, connect};
use dlock_db::postgres::{Advisory, Key, Lock, Locks, XactLock};
use dlock_testkit::server::Postgres;

const NAMES: [Name; 5] = [
    Name::Text("rechnung-ä:42"),
    Name::Bytes(b"\x00\xff raw"),
    Name::Integer(42),
    Name::Integer(i64::MIN),
    Name::Integer(i64::MAX),
];

impl From<Name> for Key {
    fn from(name: Name) -> Self {
        match name {
            Name::Text(text) => text.into(),
            Name::Bytes(bytes) => bytes.into(),
            Name::Integer(number) => number.into(),
        }
    }
}

/// How either side asks.
#[derive(Clone, Copy, Debug)]
struct Mode {
    shared: bool,
    xact: bool,
}

const MODES: [Mode; 4] = [
    Mode { shared: false, xact: false },
    Mode { shared: true, xact: false },
    Mode { shared: false, xact: true },
    Mode { shared: true, xact: true },
];

impl Mode {
    fn words(self) -> String {
        let word = |is: bool, word: &'static str| if is { word } else { "" };
        format!("{} {}", word(self.shared, "shared"), word(self.xact, "xact"))
    }

    fn end(self) -> &'static str {
        if self.xact { "commit" } else { "release" }
    }
}

fn url() -> &'static str {
    Postgres::shared().unwrap().url()
}

async fn client() -> Client {
    let (client, connection) = connect(url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn neighbour() -> Neighbour {
    Neighbour::new(&url().replacen("postgres", "postgresql+psycopg", 1)).await
}

#[tokio::test]
async fn text_bytes_and_integers() {
    let (mut neighbour, locks) = (neighbour().await, Locks::connect(url()).await.unwrap());
    for name in NAMES {
        let lock = Lock::new(client().await, name).unwrap();
        both_ways(&mut neighbour, lock, name, "forever").await;
        // A session lock of sqlalchemy-dlock's leaves its transaction open.
        assert_eq!(neighbour.asked("commit").await, "ok");
        three(&mut neighbour, &locks, name, [false; 3]).await.every_pair().await;
        assert_eq!(neighbour.asked("commit").await, "ok");
    }
}

/// Those who share go together, whichever of the three they are; any other two exclude each other.
#[tokio::test]
async fn locks_in_every_mode() {
    let mut neighbour = neighbour().await;
    let locks = Locks::connect(url()).await.unwrap();
    for number in 0..8 {
        let shares = [1, 2, 4].map(|bit| number & bit != 0);
        three(&mut neighbour, &locks, Name::Text("three"), shares).await.every_pair().await;
        assert_eq!(neighbour.asked("commit").await, "ok");
    }
}

async fn three<'a>(
    neighbour: &'a mut Neighbour,
    locks: &Locks,
    name: Name,
    shares: [bool; 3],
) -> Three<'a, dlock_db::postgres::Server, Advisory<Client>> {
    let word = if shares[0] { "shared" } else { "" };
    assert_eq!(neighbour.asked(&format!("new {name} {word}")).await, "ok");
    let (lock, request) = (Lock::new(client().await, name).unwrap(), locks.key(name).unwrap());
    let parties = [
        Party::Python { neighbour, wait: "forever" },
        Party::Lock(if shares[1] { lock.shared() } else { lock }),
        Party::locks(if shares[2] { request.shared() } else { request }),
    ];
    Three { parties, shares, case: format!("{name:?}, who shares: {shares:?}") }
}

/// Two that share go together; any other two exclude each other, whoever comes first.
#[tokio::test]
async fn every_mode_against_every_mode() {
    let (mut neighbour, mut client) = (neighbour().await, client().await);
    for theirs in MODES {
        for ours in MODES {
            let case = format!("they {theirs:?}, we {ours:?}");
            let together = theirs.shared && ours.shared;
            they_first(&mut neighbour, theirs, &mut client, ours, together, &case).await;
            we_first(&mut neighbour, theirs, &mut client, ours, together, &case).await;
        }
    }
}

async fn they_first(
    neighbour: &mut Neighbour,
    theirs: Mode,
    client: &mut Client,
    ours: Mode,
    together: bool,
    case: &str,
) {
    let name = Name::Text("mode");
    assert_eq!(neighbour.asked(&format!("new {name} {}", theirs.words())).await, "ok");
    assert_eq!(neighbour.asked("acquire no").await, "true", "{case}");
    assert_eq!(attempt(client, ours, name, async || ()).await.is_some(), together, "{case}");
    assert_eq!(neighbour.asked(theirs.end()).await, "ok");
    assert_eq!(neighbour.asked("commit").await, "ok");
}

async fn we_first(
    neighbour: &mut Neighbour,
    theirs: Mode,
    client: &mut Client,
    ours: Mode,
    together: bool,
    case: &str,
) {
    let name = Name::Text("mode");
    let said = attempt(client, ours, name, async || {
        assert_eq!(neighbour.asked(&format!("new {name} {}", theirs.words())).await, "ok");
        let said = neighbour.asked("acquire no").await;
        if said == "true" {
            assert_eq!(neighbour.asked(theirs.end()).await, "ok");
        }
        assert_eq!(neighbour.asked("commit").await, "ok");
        said
    });
    assert_eq!(said.await.expect("the key is free"), together.to_string(), "{case}");
}

/// Does something while the key is held; `None` if it is held elsewhere.
async fn attempt<T>(
    client: &mut Client,
    mode: Mode,
    name: Name,
    body: impl AsyncFnOnce() -> T,
) -> Option<T> {
    if mode.xact {
        let transaction = client.transaction().await.unwrap();
        let lock = XactLock::new(&transaction, name).unwrap();
        let mut lock = if mode.shared { lock.shared() } else { lock };
        let held = lock.try_lock().await.unwrap();
        let value = if held { Some(body().await) } else { None };
        transaction.rollback().await.unwrap();
        return value;
    }
    let lock = Lock::new(&*client, name).unwrap();
    let mut lock = if mode.shared { lock.shared() } else { lock };
    let guard = lock.try_lock().await.unwrap()?;
    let value = body().await;
    guard.release().await.unwrap();
    Some(value)
}
