//! Attention, disconnection and KILL through the real driver.

mod client;

use std::time::Duration;

use client::{connect, error, get, integer, locks, release, run, until};
use standin_mssql::Server;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_attention_takes_the_waiter_out_of_the_queue() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let wait = get(&mut two, "k", "Exclusive", "Session", -1);
    assert!(tokio::time::timeout(Duration::from_millis(50), wait).await.is_err());
    assert_eq!(locks(&mut one, "WAIT").await, 1);
    tokio::time::timeout(SOON, two.cancel_query()).await.unwrap().unwrap();
    assert_eq!(locks(&mut one, "WAIT").await, 0);
    assert_eq!(integer(&mut two, "SELECT 77").await.unwrap(), 77);
}

#[tokio::test]
async fn an_attention_rolls_back_when_xact_abort_is_on() {
    let server = Server::start().await.unwrap();
    for (option, left) in [("OFF", 1), ("ON", 0)] {
        let mut one = connect(&server).await;
        run(&mut one, &format!("SET XACT_ABORT {option}; BEGIN TRAN")).await.unwrap();
        let wait = run(&mut one, "WAITFOR DELAY '00:00:30'");
        assert!(tokio::time::timeout(Duration::from_millis(50), wait).await.is_err());
        tokio::time::timeout(SOON, one.cancel_query()).await.unwrap().unwrap();
        assert_eq!(integer(&mut one, "SELECT @@TRANCOUNT").await.unwrap(), left);
    }
}

#[tokio::test]
async fn an_attention_after_the_answer_is_answered_by_itself() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let wait = get(&mut two, "k", "Exclusive", "Session", -1);
    assert!(tokio::time::timeout(Duration::from_millis(50), wait).await.is_err());
    release(&mut one, "k", "Session").await.unwrap();
    until(&mut one, "GRANT", 1).await;
    // The driver takes the answer for the end of everything: from here on it is off by one.
    let cancelled = tokio::time::timeout(SOON, two.cancel_query()).await.unwrap();
    assert!(cancelled.is_err());
    assert_eq!(locks(&mut one, "GRANT").await, 1);
}

#[tokio::test]
async fn a_client_that_goes_leaves_nothing() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    let mut observer = connect(&server).await;
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    run(&mut one, "BEGIN TRAN").await.unwrap();
    get(&mut one, "t", "Exclusive", "Transaction", 0).await;
    let waiting = tokio::spawn(async move { get(&mut two, "k", "Exclusive", "Session", -1).await });
    until(&mut observer, "WAIT", 1).await;
    waiting.abort();
    until(&mut observer, "WAIT", 0).await;
    drop(one);
    until(&mut observer, "GRANT", 0).await;
    let sessions = "SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE is_user_process = 1";
    assert_eq!(integer(&mut observer, sessions).await.unwrap(), 1);
}

#[tokio::test]
async fn kill_ends_a_session_that_is_idle_and_one_that_waits() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    let mut killer = connect(&server).await;
    let first = integer(&mut one, "SELECT CAST(@@SPID AS int)").await.unwrap();
    let second = integer(&mut two, "SELECT CAST(@@SPID AS int)").await.unwrap();
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let waiting = tokio::spawn(async move {
        run(&mut two, "EXEC sp_getapplock N'k', 'Exclusive', 'Session', -1").await
    });
    until(&mut killer, "WAIT", 1).await;
    run(&mut killer, &format!("KILL {second}")).await.unwrap();
    let failed = tokio::time::timeout(SOON, waiting).await.unwrap().unwrap();
    assert_eq!(failed.unwrap_err().code(), Some(596));
    run(&mut killer, &format!("KILL {first}")).await.unwrap();
    until(&mut killer, "GRANT", 0).await;
    assert!(run(&mut one, "SELECT 1").await.is_err());
    assert_eq!(error(&mut killer, "KILL 32000").await, 6106);
    assert_eq!(error(&mut killer, &format!("KILL {first}")).await, 6106);
}

#[test]
fn one_server_serves_clients_of_several_runtimes() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime().block_on(Server::start()).unwrap();
    for _ in 0..2 {
        runtime().block_on(async {
            let mut one = connect(&server).await;
            assert_eq!(get(&mut one, "k", "Exclusive", "Session", 0).await, 0);
            run(&mut one, "EXEC sp_releaseapplock N'k', 'Session'").await.unwrap();
        });
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_closes_its_connections() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    drop(server);
    assert!(run(&mut one, "SELECT 1").await.is_err());
}

#[tokio::test]
async fn an_unknown_database_is_refused_at_login() {
    let server = Server::start().await.unwrap();
    let url = server.url().replace("Database=dlock", "Database=nowhere");
    let config = tiberius::Config::from_ado_string(&url).unwrap();
    let stream = tokio::net::TcpStream::connect(config.get_addr()).await.unwrap();
    let stream = tokio_util::compat::TokioAsyncWriteCompatExt::compat_write(stream);
    let refused = tiberius::Client::connect(config, stream).await;
    assert_eq!(refused.err().and_then(|error| error.code()), Some(4060));
}
