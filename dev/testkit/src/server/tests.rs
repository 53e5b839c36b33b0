//! The private servers themselves.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use tokio::sync::mpsc;
use tokio_postgres::NoTls;

use super::keeper::Keeper;
use super::{Engine, MariaDb, MySql, PgBouncer, Postgres, Server};

async fn ask_postgres(url: &str, sql: &str) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let rows = client.simple_query(sql).await?;
    drop(client);
    connection.await.unwrap()?;
    let row = rows.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(row.unwrap())
}

async fn ask_mysql(url: &str, sql: &str) -> mysql_async::Result<String> {
    let mut conn = Conn::new(Opts::from_url(url)?).await?;
    let row: Option<String> = conn.query_first(sql).await?;
    conn.disconnect().await?;
    Ok(row.unwrap())
}

fn is_listening<E>(server: &Server<E>) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", server.port().unwrap())).is_ok()
}

#[tokio::test]
async fn postgres_takes_settings_and_comes_back() {
    let server = Postgres::start(&[("lock_timeout", "1234")]).unwrap();
    let setting = ask_postgres(server.url(), "show lock_timeout").await.unwrap();
    assert_eq!(setting, "1234ms");
    server.stop().unwrap();
    assert!(!is_listening(&server));
    server.restart().unwrap();
    ask_postgres(server.url(), "select 1").await.unwrap();
    server.crash().unwrap();
    assert!(!is_listening(&server));
    server.restart().unwrap();
    let version = ask_postgres(server.url(), "show server_version").await.unwrap();
    assert!(version.starts_with(server.version().unwrap()));
}

#[tokio::test]
async fn a_paused_backend_is_silent_until_it_goes_on() {
    let server = Postgres::start(&[]).unwrap();
    let (client, connection) = tokio_postgres::connect(server.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let row = client.query_one("select pg_backend_pid()", &[]).await.unwrap();
    let pid = u32::try_from(row.get::<_, i32>(0)).unwrap();
    server.pause_backend(pid).unwrap();
    let answer = client.batch_execute("select 1");
    tokio::pin!(answer);
    tokio::time::timeout(Duration::from_millis(100), &mut answer).await.unwrap_err();
    server.continue_backend(pid).unwrap();
    answer.await.unwrap();
}

#[tokio::test]
async fn pgbouncer_passes_transactions_on() {
    let server = Postgres::start(&[]).unwrap();
    let pooler = PgBouncer::start(&server).unwrap();
    assert_eq!(ask_postgres(pooler.url(), "select 7").await.unwrap(), "7");
}

/// Also with connections being made all the time: each is a process, and may outlive the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_leaves_no_process_behind() {
    let server = Postgres::start(&[]).unwrap();
    let (url, (went, mut visits)) = (server.url().to_owned(), mpsc::channel(1));
    let visitors = tokio::spawn(async move {
        let visit = || async {
            loop {
                if ask_postgres(&url, "select 1").await.is_ok() {
                    went.send(()).await.unwrap();
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(visit(), visit(), visit(), visit());
    });
    for _ in 0..12 {
        for _ in 0..20 {
            visits.recv().await.unwrap();
        }
        tokio::task::block_in_place(|| {
            server.crash().unwrap();
            server.restart().unwrap();
        });
    }
    visitors.abort();
}

async fn comes_and_goes<E: Engine>(server: Server<E>) {
    let timeout = "select @@innodb_lock_wait_timeout";
    assert_eq!(ask_mysql(server.url(), timeout).await.unwrap(), "77");
    server.stop().unwrap();
    assert!(!is_listening(&server));
    server.restart().unwrap();
    server.crash().unwrap();
    assert!(!is_listening(&server));
    server.restart().unwrap();
    let version = ask_mysql(server.url(), "select version()").await.unwrap();
    assert!(version.starts_with(server.version().unwrap()), "{version}");
}

#[tokio::test]
async fn mariadb_takes_settings_and_comes_back() {
    comes_and_goes(MariaDb::start(&[("innodb-lock-wait-timeout", "77")]).unwrap()).await;
}

#[tokio::test]
async fn mysql_takes_settings_and_comes_back() {
    comes_and_goes(MySql::start(&[("innodb-lock-wait-timeout", "77")]).unwrap()).await;
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let error = Postgres::start(&[("no_such_setting", "1")]).unwrap_err();
    assert!(format!("{error:#}").contains("no_such_setting"), "{error:#}");
}

#[test]
fn a_keeper_left_behind_ends_the_server_and_removes_its_room() {
    let room = tempfile::tempdir().unwrap();
    fs::write(room.path().join("file"), "data").unwrap();
    let mut server = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap();
    Keeper::start(server.id(), "TERM", room.path()).unwrap().forsake();
    server.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while room.path().exists() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(!room.path().exists());
}
