//! How do many read while nobody writes?
//!
//! `DLOCK_POSTGRES_URL=postgres://… cargo run --example readers_and_writers --features postgres`

use dlock_db::postgres::Lock;
use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_POSTGRES_URL")?;
    let mut reader = Lock::new(connect(&url).await?, "catalogue")?.shared();
    let mut another = Lock::new(connect(&url).await?, "catalogue")?.shared();
    let mut writer = Lock::new(connect(&url).await?, "catalogue")?;
    let one = reader.lock().await?;
    let two = another.try_lock().await?.expect("readers stand together");
    println!("two readers; a writer gets in: {}", writer.try_lock().await?.is_some());
    one.release().await?;
    two.release().await?;
    let guard = writer.lock().await?;
    println!("readers gone, the writer is in, {}", guard.mode());
    guard.release().await?;
    Ok(())
}
