use crate::{Invoice, in_time, locks};
use dlock_guides::sqlx::{beside, fenced, inside};

#[tokio::test]
async fn beside_the_pool() {
    let invoice = Invoice::new(1).await;
    let (locks, pool, id) = (locks().await, invoice.pool.clone(), invoice.id);
    let payment = async move { beside::pay(&locks, &pool, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn inside_the_transaction() {
    let invoice = Invoice::new(2).await;
    let (pool, id) = (invoice.pool.clone(), invoice.id);
    let payment = async move { inside::pay(&pool, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn behind_a_fence() {
    let (invoice, locks) = (Invoice::new(3).await, locks().await);
    locks.setup().await.expect("the tables");
    let request = locks.key(invoice.key()).expect("a key").fenced();
    let stale = in_time(request.lock()).await.expect("a lock");
    drop(in_time(fenced::begin(&stale, &invoice.pool)).await.expect("it is the last"));
    locks.free(invoice.key()).await.expect("an end");
    let held = in_time(request.lock()).await.expect("a lock");
    let late = in_time(fenced::begin(&stale, &invoice.pool)).await.expect_err("stale");
    assert!(late.to_string().contains("lost"), "{late}");
    let mut transaction = in_time(fenced::begin(&held, &invoice.pool)).await.expect("the last");
    let update = "UPDATE invoice SET paid = 1 WHERE id = $1";
    let update = sqlx::query(update).bind(invoice.id).execute(&mut *transaction).await;
    update.expect("an update");
    transaction.commit().await.expect("a commit");
    assert_eq!(invoice.paid().await, 1);
}
