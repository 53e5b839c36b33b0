//! The queries of the guide: what they say is what is held.

use dlock_db::{mysql, postgres};
use dlock_testkit::server::{MariaDb, MySql, Postgres};
use mysql::mysql_async::prelude::Queryable;
use mysql::mysql_async::{Conn, Opts, Row};
use postgres::tokio_postgres::{self, NoTls};
use std::fs;

/// The key that the page asks for.
const KEY: &str = "invoice:42";

/// The statements that stand behind this word on the page, in its first block of SQL.
fn statements(engine: &str) -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guide/seeing-locks.md");
    let page = fs::read_to_string(page).expect("UTF-8");
    let (_, rest) = page.split_once(&format!("**{engine}")).expect("the page knows the server");
    let (_, rest) = rest.split_once("```sql\n").expect("a block of SQL");
    let (block, _) = rest.split_once("```").expect("its end");
    let statements = block.split(";\n").map(|it| it.trim_end_matches(';').trim().to_owned());
    statements.filter(|it| !it.is_empty() && !it.starts_with("--")).collect()
}

#[tokio::test]
async fn postgres_shows_who_holds() {
    let url = Postgres::shared().expect("a PostgreSQL server").url().to_owned();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a server");
    tokio::spawn(connection);
    let block = statements("PostgreSQL").join(";");
    let query = block.split(';').next().expect("one statement");
    let rows =
        async |what| client.query(query, &[]).await.unwrap_or_else(|it| panic!("{what}: {it}"));
    let locks = postgres::Locks::connect(&url).await.expect("a server");
    let held = locks.lock(KEY).await.expect("a free key");
    let shown = rows("held").await;
    assert_eq!(shown.len(), 1, "one holder");
    let holders = locks.holder(KEY).await.expect("an answer");
    assert_eq!(shown[0].get::<_, i32>("pid").to_string(), holders[0].session);
    held.release().await.expect("it was held");
    assert!(rows("free").await.is_empty());
}

async fn conn(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("a URL")).await.expect("a server")
}

#[tokio::test]
async fn mysql_shows_who_holds() {
    let url = MySql::shared().expect("a MySQL server").url().to_owned();
    let (mut conn, query) = (conn(&url).await, statements("MySQL").remove(0));
    let locks = mysql::Locks::connect(&url).await.expect("a server");
    let held = locks.lock(KEY).await.expect("a free key");
    let shown: Vec<Row> = conn.query(&query).await.expect("an answer");
    assert_eq!(shown.len(), 1, "one holder");
    let holders = locks.holder(KEY).await.expect("an answer");
    assert_eq!(shown[0].get::<u64, _>(2).expect("a number").to_string(), holders[0].session);
    held.release().await.expect("it was held");
    assert!(conn.query::<Row, _>(&query).await.expect("an answer").is_empty());
}

#[tokio::test]
async fn mariadb_shows_who_holds() {
    let url = MariaDb::shared().expect("a MariaDB server").url().to_owned();
    let (mut conn, mut queries) = (conn(&url).await, statements("MariaDB"));
    let locks = mysql::Locks::connect(&url).await.expect("a server");
    let held = locks.lock(KEY).await.expect("a free key");
    let holders = locks.holder(KEY).await.expect("an answer");
    let number: Option<u64> = conn.query_first(&queries[0]).await.expect("an answer").flatten();
    assert_eq!(number.map(|it| it.to_string()), Some(holders[0].session.clone()));
    let sessions: Vec<Row> = conn.query(queries.remove(1)).await.expect("an answer");
    assert!(sessions.iter().any(|row| row.get::<u64, _>("Id") == number));
    held.release().await.expect("it was held");
}
