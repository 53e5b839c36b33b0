use crate::{Invoice, in_time, locks, url};
use dlock_guides::sea_orm::{beside, fenced, inside};
use sea_orm::{Database, DatabaseConnection};

async fn database() -> DatabaseConnection {
    Database::connect(url()).await.expect("a connection")
}

#[tokio::test]
async fn beside_the_pool() {
    let invoice = Invoice::new(7).await;
    let (locks, database, id) = (locks().await, database().await, invoice.id);
    let payment = async move { beside::pay(&locks, &database, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn inside_the_transaction() {
    let invoice = Invoice::new(8).await;
    let (database, id) = (database().await, invoice.id);
    let payment = async move { inside::pay(&database, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn behind_a_fence() {
    let (invoice, locks, database) = (Invoice::new(9).await, locks().await, database().await);
    locks.setup().await.expect("the tables");
    let request = locks.key(invoice.key()).expect("a key").fenced();
    let stale = in_time(request.lock()).await.expect("a lock");
    locks.free(invoice.key()).await.expect("an end");
    let held = in_time(request.lock()).await.expect("a lock");
    let late = in_time(fenced::begin(&stale, &database)).await.expect_err("stale");
    assert!(late.to_string().contains("lost"), "{late}");
    let transaction = in_time(fenced::begin(&held, &database)).await.expect("it is the last");
    transaction.commit().await.expect("a commit");
}
