//! Semaphores: never more than there are permits, and nobody waits for ever.

use crate::fault::{Fault, faults};
use crate::register::Register;
use crate::{config, ms, processes, run};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_memory::Semaphore;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use std::time::Duration;

/// One acquisition.
#[derive(Clone, Debug)]
struct Ask {
    wait: Wait,
    stay: Duration,
    /// When the call is dropped, if it has not been answered.
    dropped: Option<Duration>,
}

fn ask() -> impl Strategy<Value = Ask> {
    let wait = prop_oneof![
        3 => Just(Wait::Forever),
        1 => Just(Wait::No),
        2 => (0..40_u64).prop_map(|millis| Wait::For(ms(millis))),
    ];
    let stay = (0..4000_u64).prop_map(Duration::from_micros);
    let dropped = proptest::option::weighted(0.3, (0..20_u64).prop_map(ms));
    (wait, stay, dropped).prop_map(|(wait, stay, dropped)| Ask { wait, stay, dropped })
}

async fn work(semaphore: Semaphore, register: Register, asks: Vec<Ask>) {
    for Ask { wait, stay, dropped } in asks {
        let acquire = semaphore.acquire(wait);
        let answer = match dropped {
            None => acquire.await,
            Some(limit) => match tokio::time::timeout(limit, acquire).await {
                Ok(answer) => answer,
                Err(_) => continue,
            },
        };
        let permit = match answer {
            Ok(permit) => permit,
            Err(Error::TimedOut { .. }) if wait != Wait::Forever => continue,
            Err(error) => panic!("{error:?}"),
        };
        let inside = register.enter("semaphore", semaphore.permits(), permit.cancelled()).await;
        // A loss ends the work.
        let _ = permit.run_until_lost(tokio::time::sleep(stay)).await;
        drop(inside);
        match permit.release().await {
            Ok(()) | Err(Error::Lost(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

fn plan() -> impl Strategy<Value = (usize, Vec<Vec<Vec<Ask>>>, Vec<Fault>)> {
    (1..4_usize, vec(vec(vec(ask(), 1..10), 1..6), 1..5), faults())
}

/// What a semaphore holds keys by.
fn keys(permits: usize) -> Vec<String> {
    let slots = (1..=permits).map(|slot| format!("s\u{0}permit {slot}"));
    slots.chain(["s\u{0}permits".to_owned()]).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn never_more_than_there_are((permits, plans, faults) in plan()) {
        let (database, locks) = processes(plans.len());
        let register = Register::default();
        run(&database, faults, keys(permits), |tasks| {
            for (locks, plans) in locks.into_iter().zip(plans) {
                for asks in plans {
                    let semaphore = locks.semaphore("s", permits).expect("a semaphore");
                    tasks.spawn(work(semaphore, register.clone(), asks));
                }
            }
        })?;
    }
}
