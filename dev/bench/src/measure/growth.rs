//! Pairs in a second while the session holds many other keys. PostgreSQL alone: there many locks
//! share one client.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use dlock_postgres::Lock;
use tokio_postgres::{Client, NoTls};

use super::Scene;
use crate::allocated;
use crate::board::{Board, Fold};
use crate::statements::Statements;
use crate::subject::{RAW, postgres_statements};

const SIZES: [u32; 5] = [1, 10, 100, 1_000, 10_000];
/// The key of the pairs; the others count on from here.
const KEY: u32 = 5_000_000;
const TURN: Duration = Duration::from_millis(40);
/// A turn has so many pairs even where they take longer.
const LEAST: u32 = 10;
const DLOCK: &str = "dlock, shared client";

type Held = Vec<Lock<Arc<Client>>>;

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    let statements = postgres_statements(scene.place).await?.with_key(KEY);
    let (client, connection) = tokio_postgres::connect(&scene.place.url(), NoTls).await?;
    let (client, connection) = (Arc::new(client), tokio::spawn(connection));
    let mut held = Held::new();
    let empty = allocated();
    for size in SIZES {
        scene.say(&format!("{size} keys held"));
        grow(&mut held, &client, size).await?;
        let mut board = turns(scene, size, &client, &statements).await?;
        scene.keep(&mut board, Fold::Median);
    }
    let each = (allocated() - empty) / i64::try_from(held.len())?;
    let mut memory = Board::new("memory of a held lock, of 10,000", "B");
    memory.add(DLOCK, f64::from(i32::try_from(each)?));
    scene.keep(&mut memory, Fold::Median);
    // The end of the session frees them all at once; one by one takes longer than the measure.
    connection.abort();
    drop(connection.await);
    Ok(())
}

async fn turns(
    scene: &Scene,
    size: u32,
    client: &Arc<Client>,
    statements: &Statements,
) -> Result<Board> {
    let mut board = Board::new(format!("pairs, {size} other keys held"), "1/s");
    for _ in 0..scene.rounds {
        board.add(RAW, raw(client, statements).await?);
        board.add(DLOCK, dlock(client).await?);
    }
    Ok(board)
}

async fn grow(held: &mut Held, client: &Arc<Client>, size: u32) -> Result<()> {
    for key in u32::try_from(held.len())?..size {
        let mut lock = Lock::new(Arc::clone(client), i64::from(KEY + 1 + key))?;
        lock.acquire(None).await?;
        held.push(lock);
    }
    Ok(())
}

async fn raw(client: &Client, statements: &Statements) -> Result<f64> {
    let (start, mut pairs) = (Instant::now(), 0);
    while start.elapsed() < TURN || pairs < LEAST {
        client.simple_query(&statements.acquire).await?;
        client.simple_query(&statements.release).await?;
        pairs += 1;
    }
    Ok(f64::from(pairs) / start.elapsed().as_secs_f64())
}

async fn dlock(client: &Arc<Client>) -> Result<f64> {
    let mut lock = Lock::new(Arc::clone(client), i64::from(KEY))?;
    let (start, mut pairs) = (Instant::now(), 0);
    while start.elapsed() < TURN || pairs < LEAST {
        lock.lock().await?.release().await?;
        pairs += 1;
    }
    Ok(f64::from(pairs) / start.elapsed().as_secs_f64())
}
