//! Several keys at once: all or none, each held by one, nobody in anybody's way for ever.

use crate::fault::{Fault, faults};
use crate::register::Register;
use crate::{config, ms, processes, run};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_memory::{Held, Locks};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::time::Duration;

/// So few that most requests are in each other's way.
const KEYS: usize = 6;

/// One request for some keys, in any order, more than once each.
#[derive(Clone, Debug)]
struct Ask {
    keys: Vec<usize>,
    wait: Wait,
    stay: Duration,
    /// Whether it is dropped in place of being released.
    is_dropped: bool,
}

fn ask() -> impl Strategy<Value = Ask> {
    let keys = vec(0..KEYS, 1..5);
    let wait = prop_oneof![
        3 => Just(Wait::Forever),
        1 => Just(Wait::No),
        2 => (0..40_u64).prop_map(|millis| Wait::For(ms(millis))),
    ];
    let stay = (0..4000_u64).prop_map(Duration::from_micros);
    (keys, wait, stay, any::<bool>()).prop_map(|(keys, wait, stay, is_dropped)| Ask {
        keys,
        wait,
        stay,
        is_dropped,
    })
}

fn name(key: usize) -> String {
    format!("key {key}")
}

async fn make(locks: Locks, register: Register, asks: Vec<Ask>) {
    for ask in asks {
        let keys = ask.keys.iter().copied().map(name);
        match locks.lock_all(keys, ask.wait).await {
            Ok(held) => stay(held, &register, ask).await,
            // Where it may run out, and not where it may not.
            Err(Error::TimedOut { .. }) => assert_ne!(ask.wait, Wait::Forever),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// It is of all its keys, once each and in order, and alone on every one.
async fn stay(held: Held, register: &Register, ask: Ask) {
    let mut asked = Vec::from_iter(ask.keys.iter().copied().map(name));
    asked.sort();
    asked.dedup();
    assert_eq!(Vec::from_iter(held.keys().map(|key| key.as_str())), asked);
    let mut stays = Vec::new();
    for key in &asked {
        stays.push(register.enter(key, 1, held.cancelled()).await);
    }
    // A loss ends the work.
    let _ = held.run_until_lost(tokio::time::sleep(ask.stay)).await;
    drop(stays);
    if ask.is_dropped {
        return;
    }
    match held.release().await {
        Ok(()) | Err(Error::Lost(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

fn plan() -> impl Strategy<Value = (Vec<Vec<Vec<Ask>>>, Vec<Fault>)> {
    let process = vec(vec(ask(), 1..12), 1..5);
    (vec(process, 1..5), faults())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn all_or_none_and_no_deadlock((plans, faults) in plan()) {
        let (database, locks) = processes(plans.len());
        let (register, keys) = (Register::default(), Vec::from_iter((0..KEYS).map(name)));
        run(&database, faults, keys, |tasks| {
            for (locks, plans) in locks.into_iter().zip(plans) {
                for asks in plans {
                    tasks.spawn(make(locks.clone(), register.clone(), asks));
                }
            }
        })?;
    }
}
