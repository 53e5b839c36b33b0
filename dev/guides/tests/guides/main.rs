//! The pages of the guide on other data layers, and ten programs of a user's, each on a real server.

mod diesel;
mod once;
mod pages;
mod programs;
mod sea_orm;
mod sqlx;

use dlock_db::postgres::Locks;
use dlock_testkit::server::Postgres;
use std::future::Future;
use std::time::Duration;

fn url() -> &'static str {
    Postgres::shared().expect("a PostgreSQL server").url()
}

async fn locks() -> Locks {
    Locks::connect(url()).await.expect("a session")
}

/// What hangs is broken.
async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("an end")
}

/// An invoice of one test's own, and how often it was paid.
struct Invoice {
    id: i64,
    pool: ::sqlx::PgPool,
}

impl Invoice {
    async fn new(id: i64) -> Self {
        let pool = ::sqlx::PgPool::connect(url()).await.expect("a connection");
        // Two that make it at a time are in each other's way, `IF NOT EXISTS` or not.
        let held = locks().await.lock("guides: the table").await.expect("a lock");
        let table = "CREATE TABLE IF NOT EXISTS invoice (id bigint PRIMARY KEY, paid int NOT NULL)";
        ::sqlx::query(table).execute(&pool).await.expect("a table");
        held.release().await.expect("a release");
        let row = "INSERT INTO invoice VALUES ($1, 0) ON CONFLICT (id) DO UPDATE SET paid = 0";
        ::sqlx::query(row).bind(id).execute(&pool).await.expect("a row");
        Self { id, pool }
    }

    fn key(&self) -> String {
        format!("invoice:{}", self.id)
    }

    async fn paid(&self) -> i32 {
        let paid = ::sqlx::query_scalar("SELECT paid FROM invoice WHERE id = $1").bind(self.id);
        paid.fetch_one(&self.pool).await.expect("a row")
    }

    /// While somebody else has the key, a payment waits in the server's queue; then it is done.
    async fn waits_for_the_key<F: Future<Output: Send> + Send + 'static>(&self, payment: F) {
        let elsewhere = locks().await;
        let held = in_time(elsewhere.lock(self.key())).await.expect("a lock");
        let paying = tokio::spawn(payment);
        in_time(async {
            let waits = async || {
                let holders = elsewhere.holder(self.key()).await.expect("an answer");
                holders.iter().any(|holder| holder.is_waiting)
            };
            while !waits().await {}
        })
        .await;
        assert_eq!((paying.is_finished(), self.paid().await), (false, 0));
        in_time(held.release()).await.expect("a release");
        in_time(paying).await.expect("no panic");
        assert_eq!(self.paid().await, 1);
        // Nobody holds it now.
        let free = in_time(elsewhere.try_lock(self.key())).await.expect("an answer");
        free.expect("the key is free").release().await.expect("a release");
    }
}
