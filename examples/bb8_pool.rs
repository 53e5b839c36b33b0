//! How do I lock over a client of a bb8 pool?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example bb8_pool --features postgres`

use bb8_postgres::PostgresConnectionManager;
use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::NoTls;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = std::env::var("DLOCK_POSTGRES_URL")?.parse()?;
    let manager = PostgresConnectionManager::new(config, NoTls);
    let pool = bb8::Pool::builder().max_size(2).build(manager).await?;
    let client = pool.get().await?;
    let mut lock = Lock::new(&*client, "pooled")?;
    // Release before the client goes back: the pool does not unlock.
    let guard = lock.lock().await?;
    println!("{guard:?}");
    guard.release().await?;
    Ok(())
}
