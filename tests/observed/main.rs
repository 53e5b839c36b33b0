//! What `Locks` tell of themselves: metrics, who holds what is waited for, and a task that waits for itself.

mod itself;
mod metrics;
mod progress;
mod traced;

use dlock_db::{Held, Locks, memory, postgres};
use dlock_testkit::server::Postgres;
use std::future::Future;
use std::time::Duration;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What hangs is broken.
async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("an end")
}

fn config() -> postgres::tokio_postgres::Config {
    let server = Postgres::shared().expect("a PostgreSQL server");
    server.url().parse().expect("a PostgreSQL URL")
}
