//! MySQL and MariaDB.

use crate::both_ways;
use crate::neighbour::{Name, Neighbour};
use dlock_db::mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_db::mysql::{Key, Lock};
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
    let opts = Opts::from_url(Server::<E>::shared().unwrap().url()).unwrap();
    let opts: Opts = OptsBuilder::from_opts(opts).prefer_socket(false).into();
    let (user, password) = (opts.user().unwrap_or("root"), opts.pass().unwrap_or(""));
    let (host, port) = (opts.ip_or_hostname(), opts.tcp_port());
    let url = format!("{dialect}+pymysql://{user}:{password}@{host}:{port}/");
    let mut neighbour = Neighbour::new(&url).await;
    for name in NAMES {
        let conn = Conn::new(opts.clone()).await.unwrap();
        let lock = Lock::new(conn, name).unwrap();
        both_ways(&mut neighbour, lock, name, "20").await;
    }
}

#[tokio::test]
async fn mysql() {
    excludes::<Mysql>("mysql").await;
}

#[tokio::test]
async fn mariadb() {
    excludes::<Maria>("mariadb").await;
}
