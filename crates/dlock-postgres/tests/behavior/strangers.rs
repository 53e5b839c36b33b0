//! What a caller may do around a lock that its author did not think of.

use crate::eye::{Eye, connect, holder, show};
use dlock_core::Wait;
use dlock_postgres::{Error, Lock, XactLock};
use dlock_testkit::polled::polled;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use tokio_postgres::{Client, Transaction};

const DEFERRABLE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE";

async fn rows(transaction: &Transaction<'_>) -> String {
    show(transaction.client(), "SELECT coalesce(string_agg(n::text, ',' ORDER BY n), '') FROM work")
        .await
}

/// A transaction with a savepoint of the caller's, which has the name of ours.
async fn begun(client: &mut Client) -> Transaction<'_> {
    let transaction = client.transaction().await.unwrap();
    let work = "CREATE TEMP TABLE work (n int) ON COMMIT DROP; INSERT INTO work VALUES (1); \
                SAVEPOINT dlock; INSERT INTO work VALUES (2)";
    transaction.batch_execute(work).await.unwrap();
    transaction
}

/// The caller's savepoint is where it was: what came before it stays, what came after goes.
async fn keeps_savepoint(transaction: Transaction<'_>) {
    assert_eq!(rows(&transaction).await, "1,2");
    transaction.batch_execute("ROLLBACK TO SAVEPOINT dlock").await.unwrap();
    assert_eq!(rows(&transaction).await, "1");
    transaction
        .batch_execute("RELEASE SAVEPOINT dlock; INSERT INTO work VALUES (3)")
        .await
        .unwrap();
    assert_eq!(rows(&transaction).await, "1,3");
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn a_savepoint_of_the_same_name_stays_the_callers() {
    let (mut held, mut client) = (holder("strangers-savepoint").await, connect().await);
    for wait in [Wait::No, Wait::For(Duration::from_millis(30)), Wait::Forever] {
        let transaction = begun(&mut client).await;
        let mut free = XactLock::new(&transaction, "strangers-free").unwrap();
        assert!(free.acquire(wait).await.unwrap());
        keeps_savepoint(transaction).await;
    }
    for wait in [Wait::No, Wait::For(Duration::from_millis(30))] {
        let transaction = begun(&mut client).await;
        let mut taken = XactLock::new(&transaction, "strangers-savepoint").unwrap();
        assert!(!taken.acquire(wait).await.unwrap());
        keeps_savepoint(transaction).await;
    }
    for polls in 1..4 {
        let transaction = begun(&mut client).await;
        let mut taken = XactLock::new(&transaction, "strangers-savepoint").unwrap();
        assert!(polled(taken.lock(), polls).await.is_none());
        drop(taken);
        keeps_savepoint(transaction).await;
    }
    held.release().await.unwrap();
}

/// A deferrable transaction waits for every writer on its server: the tests that have either take turns.
static SERIALIZABLE: Mutex<()> = Mutex::const_new(());

/// A transaction that waits for a snapshot that nobody can spoil is a transaction all the same: a free key is
/// had there, and one that is taken is refused at once.
#[tokio::test]
async fn a_try_in_a_deferrable_transaction_answers() {
    let _turn = SERIALIZABLE.lock().await;
    let (mut held, client) = (holder("strangers-deferrable").await, connect().await);
    client.batch_execute(DEFERRABLE).await.unwrap();
    let mut free = Lock::new(&client, "strangers-deferrable free").unwrap();
    free.try_lock().await.unwrap().expect("a free key").release().await.unwrap();
    let mut taken = Lock::new(&client, "strangers-deferrable").unwrap();
    assert!(taken.try_lock().await.unwrap().is_none());
    let refused = taken.acquire(Duration::from_millis(50)).await;
    assert!(matches!(refused, Err(Error::Refused { code: 25001, .. })), "{refused:?}");
    client.batch_execute("COMMIT").await.unwrap();
    held.release().await.unwrap();
}

/// Its first statement waits for writers to end, and so does a try that is the first: for five seconds at
/// most, and nothing is held then.
#[tokio::test]
async fn a_try_behind_a_serializable_writer_ends() {
    let _turn = SERIALIZABLE.lock().await;
    let (eye, client, writer) = (Eye::open().await, connect().await, connect().await);
    let write =
        "BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1)";
    writer.batch_execute(write).await.unwrap();
    client.batch_execute(DEFERRABLE).await.unwrap();
    let mut lock = Lock::new(&client, "strangers-behind").unwrap();
    let begun = Instant::now();
    let tried = lock.acquire(Wait::No).await;
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
    assert!(matches!(tried, Err(Error::Interrupted(_))), "{tried:?}");
    writer.batch_execute("COMMIT").await.unwrap();
    lock.close().await.unwrap();
    assert_eq!(eye.sees("strangers-behind").await, (0, 0));
    client.batch_execute("COMMIT").await.unwrap();
    lock.try_lock().await.unwrap().expect("a free key").release().await.unwrap();
}
