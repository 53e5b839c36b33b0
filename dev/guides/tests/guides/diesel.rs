use crate::{Invoice, in_time, locks, url};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use dlock_guides::diesel::{beside, fenced, inside};

async fn connection() -> AsyncPgConnection {
    AsyncPgConnection::establish(url()).await.expect("a connection")
}

#[tokio::test]
async fn beside_the_connection() {
    let invoice = Invoice::new(4).await;
    let (locks, mut connection, id) = (locks().await, connection().await, invoice.id);
    let payment = async move { beside::pay(&locks, &mut connection, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn inside_the_transaction() {
    let invoice = Invoice::new(5).await;
    let (mut connection, id) = (connection().await, invoice.id);
    let payment = async move { inside::pay(&mut connection, id).await.expect("a payment") };
    invoice.waits_for_the_key(payment).await;
}

#[tokio::test]
async fn behind_a_fence() {
    let (invoice, locks, mut connection) =
        (Invoice::new(6).await, locks().await, connection().await);
    locks.setup().await.expect("the tables");
    let request = locks.key(invoice.key()).expect("a key").fenced();
    let stale = in_time(request.lock()).await.expect("a lock");
    locks.free(invoice.key()).await.expect("an end");
    let held = in_time(request.lock()).await.expect("a lock");
    for (holder, is_last) in [(&stale, false), (&held, true)] {
        let fenced = connection.transaction(async |connection| {
            let fenced = fenced::fence(holder, connection).await;
            fenced.map_err(|_| diesel::result::Error::RollbackTransaction)
        });
        assert_eq!(in_time(fenced).await.is_ok(), is_last);
    }
}
