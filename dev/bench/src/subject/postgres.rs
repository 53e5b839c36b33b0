//! PostgreSQL: this library and the raw driver.

mod ours;
mod raw;
mod wait_free;

use anyhow::Result;
use tokio_postgres::{Client, NoTls};

use crate::place::Place;

pub(super) use ours::{Lent, Owned, Shared};
pub(super) use raw::{Naive, Plain, Raw};
pub(super) use wait_free::{Prepared, TryLent, TryOwned, Typed, Unprepared};

async fn client(place: &Place) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(&place.url(), NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
