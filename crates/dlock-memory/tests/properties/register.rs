use crate::ms;
use dlock_locks::CancellationToken;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long it may take until a holder is told of a kill, on a busy machine.
const TOLD: Duration = Duration::from_secs(2);

/// Who is inside: each with the token that is cancelled when its lock is lost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Register {
    inside: Arc<Mutex<HashMap<u64, (String, CancellationToken)>>>,
    numbers: Arc<std::sync::atomic::AtomicU64>,
}

impl Register {
    /// Comes in, to a place for so many. Those who were told of a loss do not count, and whoever is one too many
    /// has to be told so before long.
    pub(crate) async fn enter(&self, place: &str, room: usize, lost: CancellationToken) -> Stay {
        let number = self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let stay = Stay { register: self.clone(), number };
        self.lock().insert(number, (place.to_owned(), lost));
        let begun = Instant::now();
        while self.count(place) > room {
            assert!(
                begun.elapsed() < TOLD,
                "more than {room} hold {place}, and none is told of a loss"
            );
            tokio::time::sleep(ms(1)).await;
        }
        stay
    }

    fn count(&self, place: &str) -> usize {
        let inside = self.lock();
        inside.values().filter(|(at, lost)| at == place && !lost.is_cancelled()).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, (String, CancellationToken)>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who is inside, until it is dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    register: Register,
    number: u64,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.register.lock().remove(&self.number);
    }
}
