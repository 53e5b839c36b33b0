//! How do I hold an Oracle lock in one of its six modes, and change the mode while I hold it?
//!
//! `DLOCK_ORACLE_URL=user/password@host:1521/service \
//!  cargo run --example oracle_modes --features oracle`

use dlock_db::oracle::oracle::Connection;
use dlock_db::oracle::{Lock, Mode};
use std::time::Duration;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var("DLOCK_ORACLE_URL")?;
    let (user, rest) = url.split_once('/').expect("user/password@host:port/service");
    let (password, service) = rest.split_once('@').expect("user/password@host:port/service");
    let connection = Connection::connect(user, password, service)?;
    let mut lock = Lock::new(connection, "partition:3")?.with_mode(Mode::SX);
    let mut guard = lock.lock().await?; // rows may be written by many
    println!("held {:?}", guard.mode());
    // On the lock's own connection, which blocks: use `spawn_blocking` for statements that take long.
    let rows: i64 = guard.session().query_row_as("SELECT 42 FROM dual", &[])?;
    println!("{rows} rows");
    let (guard, alone) = guard.convert(Mode::X, Duration::from_secs(2)).await?;
    println!("held {:?}, alone: {alone}", guard.mode());
    guard.release().await?;
    Ok(())
}
