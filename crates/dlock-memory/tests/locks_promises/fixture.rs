use crate::session::Far;
use crate::way::Way;
use dlock_core::Lock;
use dlock_locks::{Locks, LocksBuilder};
use dlock_memory::{Database, Direct, Key, Session};
use dlock_testkit::locks::{Fixture, LinkFixture, LockFixture, MachineFixture};

/// A database made of memory.
pub(crate) struct Memory {
    database: Database,
    server: Way,
}

impl Memory {
    fn by(&self, way: &Way) -> LocksBuilder<Far> {
        let ways = [way.clone(), self.server.clone()];
        Locks::builder(Far { database: self.database.clone(), ways })
    }
}

impl Fixture for Memory {
    type Driver = Far;

    async fn new() -> Self {
        Self { database: Database::new(), server: Way::default() }
    }

    fn builder(&self) -> LocksBuilder<Far> {
        self.by(&Way::default())
    }

    fn key(text: &str) -> Key {
        text.into()
    }

    async fn holders(&self, key: &str) -> usize {
        self.database.holders(key)
    }

    async fn waiters(&self, key: &str) -> usize {
        self.database.waiters(key)
    }

    async fn kill(&self, key: &str) {
        self.database.kill(key);
    }
}

impl LinkFixture for Memory {
    type Link = Way;

    fn link(&self) -> (Way, LocksBuilder<Far>) {
        let way = Way::default();
        (way.clone(), self.by(&way))
    }
}

impl LockFixture for Memory {
    type Raw = Direct<Session>;

    async fn lock(&self, key: &str) -> Lock<Direct<Session>> {
        Lock::new(self.database.session(), key).expect("any text is a key")
    }
}

impl MachineFixture for Memory {
    fn is_private() -> bool {
        true
    }

    async fn private() -> Self {
        Self::new().await
    }

    async fn freeze(&self) {
        self.database.freeze();
    }

    async fn thaw(&self) {
        self.database.thaw();
    }

    async fn stop(&self) {
        self.server.refuse();
    }

    async fn start(&self) {
        self.server.accept();
    }
}
