//! An axum endpoint over a pool of deadpool: an export runs once at a time, and a second request answers 409.

use crate::{in_time, locks, url};
use axum::extract::State;
use axum::http::StatusCode;
use deadpool_postgres::{Manager, Pool};
use dlock_db::Wait;
use dlock_db::postgres::tokio_postgres::NoTls;
use dlock_db::postgres::{Locks, LocksError};

#[derive(Clone)]
struct App {
    pool: Pool,
    locks: Locks,
}

async fn export(State(app): State<App>) -> Result<String, StatusCode> {
    // lock
    match app.locks.with("program:export", Wait::No, async |_| report(&app.pool).await).await {
        Ok(report) => report.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR),
        Err(LocksError::TimedOut { .. }) => Err(StatusCode::CONFLICT),
        Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
    // end
}

async fn report(pool: &Pool) -> anyhow::Result<String> {
    let row = pool.get().await?.query_one("SELECT 'exported ' || 42", &[]).await?;
    Ok(row.get(0))
}

#[tokio::test]
async fn a_second_request_is_refused() {
    let manager = Manager::new(url().parse().expect("a URL"), NoTls);
    let pool = Pool::builder(manager).max_size(2).build().expect("a pool");
    let app = App { pool, locks: locks().await };
    let _: axum::Router =
        axum::Router::new().route("/export", axum::routing::get(export)).with_state(app.clone());
    let held = locks().await.lock("program:export").await.expect("a lock");
    assert_eq!(in_time(export(State(app.clone()))).await, Err(StatusCode::CONFLICT));
    held.release().await.expect("a release");
    assert_eq!(in_time(export(State(app))).await.as_deref(), Ok("exported 42"));
}
