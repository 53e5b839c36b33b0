//! Many tasks on few keys over shared sessions, on more than one thread: locks of both modes come, wait,
//! are dropped in the middle, dropped while held, and closed, among other statements.

use crate::cancels::cancelling;
use crate::eye::{Eye, config, connect, pid, session, session_at};
use dlock_postgres::{AsSession, Error, Lock};
use futures::future::join_all;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, SimpleQueryMessage};

const KEYS: [&str; 4] = ["crowd-0", "crowd-1", "crowd-2", "crowd-3"];
const TASKS: usize = 8;
const A_WHILE: Duration = Duration::from_secs(3);

/// Who is inside, by what was answered: so many readers, or a writer.
#[derive(Clone, Default)]
struct Inside(Arc<Mutex<HashMap<&'static str, (usize, usize)>>>);

impl Inside {
    fn enters(&self, key: &'static str, shared: bool) {
        let mut inside = self.0.lock().unwrap();
        let (readers, writers) = inside.entry(key).or_default();
        assert!(
            *writers == 0 && (shared || *readers == 0),
            "{key}: {readers} and {writers} inside"
        );
        *if shared { readers } else { writers } += 1;
    }

    fn leaves(&self, key: &'static str, shared: bool) {
        let mut inside = self.0.lock().unwrap();
        let (readers, writers) = inside.entry(key).or_default();
        *if shared { readers } else { writers } -= 1;
    }
}

/// A small generator of its own, so that a failure can be seen again.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn micros(&mut self, most: u64) -> Duration {
        Duration::from_micros(self.throw(most))
    }
}

/// An administrator's cancels are told where they are; nothing else is.
fn is_cancelled(error: &Error) -> bool {
    matches!(error, Error::Interrupted(_))
}

async fn one<S: AsSession + Clone>(session: S, inside: Inside, mut dice: Dice) -> (u32, u32) {
    let (start, mut granted, mut dropped) = (Instant::now(), 0, 0);
    while start.elapsed() < A_WHILE {
        let key = KEYS[usize::try_from(dice.throw(4)).unwrap()];
        let shared = dice.throw(3) == 0;
        let lock = Lock::new(session.clone(), key).unwrap();
        let mut lock = if shared { lock.shared() } else { lock };
        for _ in 0..=dice.throw(3) {
            let wait = dice.micros(8_000);
            let answer = match dice.throw(3) {
                0 => timeout(dice.micros(6_000), lock.acquire(wait)).await.ok(),
                _ => Some(lock.acquire(wait).await),
            };
            match answer {
                None => dropped += 1,
                Some(Ok(false) | Err(Error::AlreadyHeld)) => {}
                Some(Ok(true)) => {
                    granted += 1;
                    inside.enters(key, shared);
                    sleep(dice.micros(1_500)).await;
                    inside.leaves(key, shared);
                    match dice.throw(4) {
                        0 => break,
                        1 => drop(timeout(dice.micros(900), lock.release()).await),
                        _ => {
                            while let Err(error) = lock.release().await {
                                assert!(is_cancelled(&error), "{error:?}");
                                assert!(lock.is_locked());
                            }
                        }
                    }
                }
                Some(Err(error)) => assert!(is_cancelled(&error), "{error:?}"),
            }
        }
    }
    (granted, dropped)
}

async fn says(client: &Client, seed: usize, cancelled: bool) {
    let start = Instant::now();
    for number in seed.. {
        if start.elapsed() > A_WHILE {
            break;
        }
        let statement = format!("SELECT {number}");
        let answer = timeout(Duration::from_secs(4), client.simple_query(&statement)).await;
        match answer.expect("an answer") {
            Err(error) => assert!(cancelled, "{error:?}"),
            Ok(messages) => assert!(messages.iter().any(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0) == Some(number.to_string().as_str()),
                _ => false,
            })),
        }
        sleep(Duration::from_millis(3)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn on_shared_sessions() {
    crowd(false).await;
}

/// The same while an administrator cancels what two of the sessions do.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn on_shared_sessions_that_are_cancelled() {
    crowd(true).await;
}

async fn crowd(cancelled: bool) {
    let inside = Inside::default();
    let client = Arc::new(connect().await);
    let (both, other) = (Arc::new(session().await), Arc::new(session_at(&config()).await));
    let seed = u64::from(std::process::id());
    let mut tasks = Vec::new();
    for number in 0..TASKS {
        let dice = || Dice(seed + 977 * u64::try_from(tasks.len()).unwrap());
        let (client, both, other) = (Arc::clone(&client), Arc::clone(&both), Arc::clone(&other));
        let task = match number % 3 {
            0 => tokio::spawn(one(client, inside.clone(), dice())),
            1 => tokio::spawn(one(both, inside.clone(), dice())),
            _ => tokio::spawn(one(other, inside.clone(), dice())),
        };
        tasks.push(task);
    }
    let statements = {
        let (client, both) = (Arc::clone(&client), Arc::clone(&both));
        tokio::spawn(async move {
            tokio::join!(says(&client, 1, cancelled), says(both.client(), 5_000, cancelled))
        })
    };
    let victims = [pid(&client).await, pid(both.client()).await];
    let all = join_all(tasks);
    let counts = match cancelled {
        true => cancelling(victims[0], cancelling(victims[1], all)).await,
        false => all.await,
    };
    let (mut granted, mut dropped) = (0, 0);
    for counts in counts {
        let counts = counts.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        granted += counts.0;
        dropped += counts.1;
    }
    statements.await.unwrap();
    assert!(granted > 20 && dropped > 5, "seed {seed}: {granted} granted, {dropped} dropped");
    let eye = Eye::open().await;
    for key in KEYS {
        eye.until(key, (0, 0)).await;
        let mut lock = Lock::new(Arc::clone(&both), key).unwrap();
        lock.lock().await.unwrap().release().await.unwrap();
        let mut lock = Lock::new(Arc::clone(&client), key).unwrap();
        lock.lock().await.unwrap().release().await.unwrap();
    }
}
