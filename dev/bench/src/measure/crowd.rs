//! Many tasks of one process on the few sessions of a factory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use dlock_core::KeyError;
use dlock_locks::{Driver, Locks};
use futures::future::try_join_all;
use tokio::sync::Mutex;
use tokio::time::sleep;

use super::{MANY_KEYS, ONE_KEY, ONE_KEY_MEMORY, ONE_KEY_SESSIONS, Scene, micros, millis};
use crate::allocated;
use crate::board::{Board, Fold};
use crate::figure::median;
use crate::place::Database;
use crate::subject::layer::Layered;
use crate::subject::{IDEAL, LAYER, LONE, SQLX, lone};

/// How many tasks there are, each with a key of its own, and how many pairs one makes in a turn.
const TASKS: u32 = 256;
const PAIRS: u32 = 40;
/// How many tasks wait for one key.
const WAITERS: u32 = 10_000;
/// How many tasks work, on so many keys, and for how long each.
const WORKERS: u32 = 5_000;
const KEYS: usize = 1_000;
const WORK: Duration = Duration::from_millis(5);

/// A pool's objects, each with a lock of the raw driver's while its task works.
const POOL: &str = "deadpool of 10, naive locks";

pub(super) async fn measure(scene: &mut Scene) -> Result<()> {
    match scene.place.database {
        Database::Postgres => on::<dlock_postgres::Server>(scene).await,
        _ => on::<dlock_mysql::Server>(scene).await,
    }
}

async fn on<D: Layered>(scene: &mut Scene) -> Result<()>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    let locks = D::locks(scene.place).await?;
    many_keys(scene, &locks).await?;
    one_key(scene, &locks).await?;
    work(scene, &locks).await?;
    locks.close().await;
    Ok(())
}

async fn many_keys<D: Driver>(scene: &mut Scene, locks: &Locks<D>) -> Result<()>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    let mut board = Board::new(MANY_KEYS, "1/s").against(LONE);
    let mut lone = lone(scene.place.database).connect(scene.place, 1).await?;
    let sqlx = scene.kinds.iter().find(|kind| kind.name == SQLX).copied();
    for round in 0..scene.rounds {
        scene.say(&format!("many keys, round {} of {}", round + 1, scene.rounds));
        let lap = lone.pairs(PAIRS * 4).await?;
        board.add(LONE, f64::from(PAIRS * 4) / lap.wall.as_secs_f64());
        if let Some(kind) = sqlx {
            let lap = kind.connect(scene.place, 8).await?.pairs(PAIRS * 4).await?;
            board.add(SQLX, f64::from(PAIRS * 4 * 8) / lap.wall.as_secs_f64());
        }
        board.add(LAYER, pairs(locks).await?);
    }
    scene.keep(&mut board, Fold::Median);
    Ok(())
}

/// In a second.
async fn pairs<D: Driver>(locks: &Locks<D>) -> Result<f64>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    let start = Instant::now();
    let tasks = (0..TASKS).map(|task| {
        let locks = locks.clone();
        tokio::spawn(async move {
            for _ in 0..PAIRS {
                locks.lock(format!("pairs {task}")).await?.release().await?;
            }
            Ok::<_, anyhow::Error>(())
        })
    });
    for task in try_join_all(tasks).await? {
        task?;
    }
    Ok(f64::from(TASKS * PAIRS) / start.elapsed().as_secs_f64())
}

async fn one_key<D: Driver>(scene: &mut Scene, locks: &Locks<D>) -> Result<()>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    scene.say("10,000 tasks on one key");
    let (holder, before) = (locks.lock("queue".to_owned()).await?, allocated());
    let released = Arc::new(Mutex::new(Instant::now()));
    let tasks = (0..WAITERS).map(|_| tokio::spawn(take(locks.clone(), Arc::clone(&released))));
    let tasks = Vec::from_iter(tasks);
    while locks.stats().await?.waiting < WAITERS.try_into()? {
        sleep(Duration::from_millis(5)).await;
    }
    let each = f64::from(i32::try_from(allocated() - before)?) / f64::from(WAITERS);
    *released.lock().await = Instant::now();
    holder.release().await?;
    let taken = try_join_all(tasks).await?.into_iter().collect::<Result<Vec<_>>>()?;
    let sessions = f64::from(u32::try_from(locks.stats().await?.sessions)?);
    for (measure, unit, value) in [
        (ONE_KEY, "µs", median(&taken).context("a turn")?),
        (ONE_KEY_MEMORY, "B", each),
        (ONE_KEY_SESSIONS, "", sessions),
    ] {
        let mut board = Board::new(measure, unit).without_ratios();
        board.add(LAYER, value);
        scene.keep(&mut board, Fold::Median);
    }
    Ok(())
}

/// Waits, and lets go at once: how long after the release before, in microseconds.
async fn take<D: Driver>(locks: Locks<D>, released: Arc<Mutex<Instant>>) -> Result<f64>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    let held = locks.lock("queue".to_owned()).await?;
    let taken = released.lock().await.elapsed();
    *released.lock().await = Instant::now();
    held.release().await?;
    Ok(micros(taken))
}

async fn work<D: Driver>(scene: &mut Scene, locks: &Locks<D>) -> Result<()>
where
    String: TryInto<D::Key, Error: Into<KeyError>>,
{
    let mut board = Board::new(super::WORK, "ms").against(IDEAL);
    let mutexes: Arc<[Mutex<()>]> = (0..KEYS).map(|_| Mutex::new(())).collect();
    for round in 0..scene.rounds {
        scene.say(&format!("work, round {} of {}", round + 1, scene.rounds));
        let mutexes = Arc::clone(&mutexes);
        let ideal = all(move |key| {
            let mutexes = Arc::clone(&mutexes);
            async move {
                let _held = mutexes[key].lock().await;
                sleep(WORK).await;
                Ok(())
            }
        });
        board.add(IDEAL, ideal.await?);
        let layer = all(|key| {
            let locks = locks.clone();
            async move {
                let held = locks.lock(format!("work {key}")).await?;
                sleep(WORK).await;
                Ok(held.release().await?)
            }
        });
        board.add(LAYER, layer.await?);
    }
    if scene.place.database == Database::Postgres {
        board.add(POOL, pooled(scene).await?);
    }
    scene.keep(&mut board, Fold::Median);
    Ok(())
}

/// Has all work at once: milliseconds until the last is done.
async fn all<F>(work: impl Fn(usize) -> F) -> Result<f64>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let start = Instant::now();
    let tasks = (0..WORKERS).map(|task| tokio::spawn(work(task as usize % KEYS)));
    for done in try_join_all(Vec::from_iter(tasks)).await? {
        done?;
    }
    Ok(millis(start.elapsed()))
}

async fn pooled(scene: &Scene) -> Result<f64> {
    let config = scene.place.url().parse()?;
    let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(10).build()?;
    let naive = all(move |key| {
        let (pool, key) = (pool.clone(), i64::try_from(key));
        async move {
            let (client, key) = (pool.get().await?, key?);
            client.execute("SELECT pg_advisory_lock($1)", &[&key]).await?;
            sleep(WORK).await;
            client.execute("SELECT pg_advisory_unlock($1)", &[&key]).await?;
            Ok(())
        }
    });
    naive.await
}
