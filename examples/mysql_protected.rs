//! How do I run statements that must not outlive the lock?
//!
//! On the lock's own connection: when that dies, both end together.
//!
//! `DLOCK_MYSQL_URL=mysql://… cargo run --example mysql_protected --features mysql`

use dlock_db::mysql::Lock;
use dlock_db::mysql::mysql_async::{Pool, prelude::Queryable};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let pool = Pool::from_url(std::env::var("DLOCK_MYSQL_URL")?)?;
    let mut lock = Lock::new(pool.get_conn().await?, "stock")?;
    let mut guard = lock.lock().await?;
    let answer: Option<u32> = guard.session().query_first("SELECT 6 * 7").await?;
    println!("{answer:?}, computed under the lock");
    guard.release().await?;
    drop(lock.into_session().await?); // back to the pool
    pool.disconnect().await?;
    Ok(())
}
