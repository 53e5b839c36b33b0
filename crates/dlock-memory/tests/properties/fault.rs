use crate::ms;
use dlock_memory::Database;
use proptest::collection;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::Index;
use std::time::Duration;

/// What happens to a server and its sessions.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// The sessions that hold or await one of the keys are ended.
    Kill(Index),
    /// They are cut off without a word.
    Silence(Index),
    /// The server stands still for so long.
    Freeze(Duration),
    /// Each statement takes so long from now on.
    Delay(Duration),
}

/// A fault, after so long.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    after: Duration,
    what: What,
}

/// Some faults, one after the other. Silence is rare: it takes a lease to be over.
pub(crate) fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let what = prop_oneof![
        8 => any::<Index>().prop_map(What::Kill),
        1 => any::<Index>().prop_map(What::Silence),
        4 => (1..60_u64).prop_map(|millis| What::Freeze(ms(millis))),
        4 => (0..3000_u64).prop_map(|micros| What::Delay(Duration::from_micros(micros))),
    ];
    let fault = (0..40_u64, what).prop_map(|(after, what)| Fault { after: ms(after), what });
    collection::vec(fault, 0..12)
}

/// Makes them happen.
pub(crate) async fn inflict(database: Database, faults: Vec<Fault>, keys: Vec<String>) {
    for Fault { after, what } in faults {
        tokio::time::sleep(after).await;
        match what {
            What::Kill(key) => database.kill(&keys[key.index(keys.len())]),
            What::Silence(key) => database.silence(&keys[key.index(keys.len())]),
            What::Delay(delay) => database.delay(delay),
            What::Freeze(pause) => {
                database.freeze();
                tokio::time::sleep(pause).await;
                database.thaw();
            }
        }
    }
    database.delay(Duration::ZERO);
}
