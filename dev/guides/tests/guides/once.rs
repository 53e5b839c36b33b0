use crate::{in_time, locks, url};
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use dlock_guides::once::{outside, whole};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

async fn client() -> Client {
    let (client, connection) = tokio_postgres::connect(url(), NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// The tables; what is done of these jobs is forgotten.
async fn tables(jobs: &[&str]) -> Client {
    let client = client().await;
    let held = locks().await.lock("guides: the tables of jobs").await.expect("a lock");
    let tables = "CREATE TABLE IF NOT EXISTS job_done (job text PRIMARY KEY);
        CREATE TABLE IF NOT EXISTS account (balance int NOT NULL)";
    client.batch_execute(tables).await.expect("tables");
    client.execute("DELETE FROM job_done WHERE job = ANY($1)", &[&jobs]).await.expect("rows");
    held.release().await.expect("a release");
    client
}

/// Work that is quick is done once all the same; work that failed is done by the next.
#[tokio::test]
async fn outside_of_the_database() {
    let client = tables(&["outside"]).await;
    let (machines, worked) = ([locks().await, locks().await, locks().await], AtomicU32::new(0));
    let failing = outside::once(&machines[0], &client, "outside", async { Err("it rains".into()) });
    in_time(failing).await.expect_err("it failed");
    let once = async |machine: usize| {
        let work = async {
            worked.fetch_add(1, SeqCst);
            Ok(())
        };
        outside::once(&machines[machine], &client, "outside", work).await.expect("a lock")
    };
    let did = in_time(async { tokio::join!(once(0), once(1), once(2)) }).await;
    assert_eq!((u8::from(did.0) + u8::from(did.1) + u8::from(did.2), worked.into_inner()), (1, 1));
}

/// Without the row the lock lets each of them do it.
#[tokio::test]
async fn a_lock_alone_is_not_once() {
    let (machines, worked) = ([locks().await, locks().await, locks().await], AtomicU32::new(0));
    let locked = async |machine: usize| {
        let wait = Duration::from_secs(20);
        let work = machines[machine].with("job:alone", wait, async |_| worked.fetch_add(1, SeqCst));
        work.await.expect("a lock")
    };
    in_time(async { tokio::join!(locked(0), locked(1), locked(2)) }).await;
    assert_eq!(worked.into_inner(), 3);
}

#[tokio::test]
async fn in_one_transaction() {
    let reader = tables(&["whole"]).await;
    let fresh = "DELETE FROM account; INSERT INTO account VALUES (0)";
    reader.batch_execute(fresh).await.expect("an account");
    let machines = [locks().await, locks().await, locks().await];
    machines[0].setup().await.expect("the tables of fences");
    let once = async |machine: usize| {
        let mut client = client().await;
        whole::once(&machines[machine], &mut client, "whole").await.expect("a lock")
    };
    let did = in_time(async { tokio::join!(once(0), once(1), once(2)) }).await;
    assert_eq!(u8::from(did.0) + u8::from(did.1) + u8::from(did.2), 1);
    let balance: i32 =
        reader.query_one("SELECT balance FROM account", &[]).await.expect("a row").get(0);
    assert_eq!(balance, 1);
}
