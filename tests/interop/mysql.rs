//! MySQL and MariaDB.

use crate::both_ways;
use crate::neighbour::{Name, Neighbour};
use crate::party::{Party, Three};
use dlock_db::mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_db::mysql::{Key, Lock, Locks};
use dlock_testkit::server::{Engine, Maria, Mysql, Server};

const NAMES: [Name; 4] = [
    Name::Text("rechnung-ä:42"),
    Name::Bytes("réplica/7".as_bytes()),
    Name::Integer(42),
    Name::Integer(i64::MIN),
];

impl TryFrom<Name> for Key {
    type Error = dlock_core::KeyError;

    fn try_from(name: Name) -> Result<Self, Self::Error> {
        match name {
            Name::Text(text) => text.try_into(),
            Name::Bytes(bytes) => bytes.try_into(),
            Name::Integer(number) => Ok(number.into()),
        }
    }
}

/// Waits are finite: on MariaDB sqlalchemy-dlock's infinite one fails.
async fn excludes<E: Engine>(dialect: &str) {
    let opts = opts::<E>();
    let mut neighbour = neighbour(&opts, dialect).await;
    for name in NAMES {
        let conn = Conn::new(opts.clone()).await.unwrap();
        let lock = Lock::new(conn, name).unwrap();
        both_ways(&mut neighbour, lock, name, "20").await;
    }
}

fn opts<E: Engine>() -> Opts {
    let opts = Opts::from_url(Server::<E>::shared().unwrap().url()).unwrap();
    OptsBuilder::from_opts(opts).prefer_socket(false).into()
}

async fn neighbour(opts: &Opts, dialect: &str) -> Neighbour {
    let (user, password) = (opts.user().unwrap_or("root"), opts.pass().unwrap_or(""));
    let (host, port) = (opts.ip_or_hostname(), opts.tcp_port());
    Neighbour::new(&format!("{dialect}+pymysql://{user}:{password}@{host}:{port}/")).await
}

/// sqlalchemy-dlock, `Lock` and `Locks`: in every pair of them each excludes the other.
async fn three_exclude<E: Engine>(dialect: &str) {
    let opts = opts::<E>();
    let mut neighbour = neighbour(&opts, dialect).await;
    let locks = Locks::builder(opts.clone()).build().unwrap();
    for name in NAMES {
        assert_eq!(neighbour.asked(&format!("new {name}")).await, "ok");
        let conn = Conn::new(opts.clone()).await.unwrap();
        let parties = [
            Party::Python { neighbour: &mut neighbour, wait: "20" },
            Party::Lock(Lock::new(conn, name).unwrap()),
            Party::locks(locks.key(name).unwrap()),
        ];
        Three { parties, shares: [false; 3], case: format!("{name:?}") }.every_pair().await;
    }
}

#[tokio::test]
async fn mysql() {
    excludes::<Mysql>("mysql").await;
    three_exclude::<Mysql>("mysql").await;
}

#[tokio::test]
async fn mariadb() {
    excludes::<Maria>("mariadb").await;
    three_exclude::<Maria>("mariadb").await;
}
