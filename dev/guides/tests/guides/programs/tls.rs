//! TLS by the URL: what holds the lock is ciphered.

use crate::in_time;
use dlock_db::postgres::tokio_postgres::{self, NoTls};
use dlock_db::postgres::{Locks, LocksError};
use dlock_testkit::server::Postgres;

/// Where the server has TLS it is used.
async fn connect(url: &str) -> Result<Locks, LocksError> {
    // lock
    Locks::connect(format!("{url}?sslmode=prefer")).await // or `verify-full`
    // end
}

#[tokio::test]
async fn the_url_says_it() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a key");
    let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
    let server = Postgres::start_with_tls(&certificate, &key).expect("a PostgreSQL server");
    let locks = in_time(connect(server.url())).await.expect("a session");
    let held = in_time(locks.lock("program:tls")).await.expect("a lock");
    let (client, connection) =
        tokio_postgres::connect(server.url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let ciphered = "SELECT count(*) FROM pg_locks JOIN pg_stat_ssl USING (pid)
        WHERE locktype = 'advisory' AND granted AND ssl";
    let row = in_time(client.query_one(ciphered, &[])).await.expect("a row");
    assert_eq!(row.get::<_, i64>(0), 1);
    in_time(held.release()).await.expect("a release");
}
