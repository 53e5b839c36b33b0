//! How do I read first, and write only if I must, without a deadlock of two readers?
//!
//! `DLOCK_MSSQL_URL='Server=…;TrustServerCertificate=true' \
//!  cargo run --example mssql_upgrade --features mssql`

use dlock_db::Wait;
use dlock_db::mssql::Lock;
use dlock_db::mssql::tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncWriteCompatExt;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_ado_string(&std::env::var("DLOCK_MSSQL_URL")?)?;
    let stream = TcpStream::connect(config.get_addr()).await?;
    let client = Client::connect(config, stream.compat_write()).await?;
    let mut lock = Lock::new(client, "price-list")?.update();
    let mut guard = lock.lock().await?; // beside readers, but no second one of its kind
    println!("reading, {:?}", guard.mode());
    // On the lock's own connection: when that dies, both end together.
    let price = guard.session().simple_query("SELECT 42").await?.into_row().await?;
    println!("the price is {:?}", price.and_then(|row| row.get::<i32, _>(0)));
    let (guard, alone) = guard.upgrade(Wait::Forever).await?;
    println!("writing, {:?}: {alone}", guard.mode());
    guard.release().await?; // gives back both
    Ok(())
}
