use crate::place::{Place, count, holding};
use dlock_core::Lock;
use dlock_oracle::{Key, Locks, LocksBuilder, Server, User};
use dlock_testkit::locks::{Fixture, LockFixture};
use oracle::{Connection, Connector};

/// A database, and an observer's session there.
pub(crate) struct Observed {
    place: Place,
    observer: Connection,
}

impl Fixture for Observed {
    type Driver = Server;

    const HAS_LEASE: bool = false;
    const TELLS_ENDS: bool = false;

    async fn new() -> Self {
        let place = Place::named("locks promises");
        Self { observer: place.connect(), place }
    }

    fn builder(&self) -> LocksBuilder {
        let (user, password) = self.place.credentials();
        Locks::builder(Connector::new(user, password, &*self.place.database))
    }

    fn key(text: &str) -> Key {
        text.into()
    }

    async fn holders(&self, key: &str) -> usize {
        count(&self.observer, Key::from(key).id()).0
    }

    async fn waiters(&self, key: &str) -> usize {
        count(&self.observer, Key::from(key).id()).1
    }

    async fn kill(&self, key: &str) {
        for session in holding(&self.observer, Key::from(key).id()) {
            let text = format!("alter system kill session '{session}' immediate");
            // It may have ended by itself.
            drop(self.observer.execute(&text, &[]));
        }
    }
}

impl LockFixture for Observed {
    type Raw = User<Connection>;

    async fn lock(&self, key: &str) -> Lock<Self::Raw> {
        Lock::new(self.place.connect(), key).expect("any text is a key")
    }
}
