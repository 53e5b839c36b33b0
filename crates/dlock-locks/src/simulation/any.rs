//! Any work of any number of processes, under any faults: no two hold a key who may not, each is served in
//! its turn or told why not, and nothing stays behind.

use super::ms;
use super::plan::Plan;
use super::task::Work;
use super::world::World;
use crate::Mode;
use crate::model::Need;
use proptest::prelude::*;
use std::time::Duration;

fn work() -> impl Strategy<Value = Work> {
    let mode = prop_oneof![
        3 => Just((Mode::Exclusive, Need::Nothing)),
        2 => Just((Mode::Shared, Need::Nothing)),
        1 => Just((Mode::Exclusive, Need::Session)),
        1 => Just((Mode::Exclusive, Need::Fence)),
        1 => Just((Mode::Update, Need::Session)),
    ];
    let holds = prop::collection::vec((0..300u64).prop_map(ms), 1..4);
    let patience = prop::option::of((1..300u64).prop_map(ms));
    let drops = prop::option::of((1..5u32, (0..200u64).prop_map(ms)));
    let rest = (0..30u64).prop_map(ms);
    (mode, holds, patience, any::<bool>(), drops, rest, 1..6u32).prop_map(
        |((mode, need), holds, patience, tries, drops, rest, keys)| {
            let tries = tries && patience.is_some();
            Work { keys, mode, need, holds, patience, tries, drops, rounds: 8, rest }
        },
    )
}

fn plan() -> impl Strategy<Value = Plan> {
    let kinds = prop::collection::vec((work(), prop::collection::vec(0..6usize, 3)), 1..4);
    let sessions = (1..4usize, 0..3usize);
    let limits = (1..8usize, 1..3usize, 4..40usize);
    let faults = (0..5u8, 2..40u32, 200..3000u64);
    (1..4usize, kinds, sessions, limits, faults, any::<u64>()).prop_map(
        |(processes, mut kinds, (waiting, more), (batch, in_flight, connections), faults, seed)| {
            kinds.iter_mut().for_each(|(_, counts)| counts.truncate(processes));
            let mut plan = Plan::new(processes, kinds);
            plan.settings.lease = Duration::from_secs(3);
            (plan.settings.max_waiting, plan.settings.max_sessions) = (waiting, waiting + more + 1);
            (plan.settings.max_batch, plan.settings.in_flight) = (batch, in_flight);
            (plan.max_connections, plan.seed) = (connections, seed);
            with_faults(plan, faults)
        },
    )
}

fn with_faults(mut plan: Plan, (which, one_in, every): (u8, u32, u64)) -> Plan {
    match which {
        1 => plan.interrupts = Some(one_in),
        2 => plan.kills = Some(ms(every)),
        3 => plan.cuts = Some(ms(every)),
        4 => {
            plan.stalls = Some((ms(every), ms(4000)));
            plan.settings.stay = ms(every * 5);
        }
        _ => {}
    }
    plan
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn promises_are_kept(plan in plan()) {
        World::run(plan);
    }
}
