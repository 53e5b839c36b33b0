use crate::flaw::Flaw;
use crate::line::Line;
use crate::mutant::Mutant;
use crate::pollers::Pollers;
use dlock_core::{Lock, SessionRef};
use dlock_testkit::bed::{Bed, SharedBed};
use dlock_testkit::memory::{Database, Ended};
use std::net::SocketAddr;

/// A database made of memory, and locks with a flaw.
pub(crate) struct Mutants {
    database: Database,
    flaw: Flaw,
    pollers: Pollers,
}

impl Mutants {
    pub(crate) fn with(flaw: Flaw) -> Self {
        Self { database: Database::new(), flaw, pollers: Pollers::default() }
    }

    fn over(&self, line: &Line, key: &str) -> Lock<Mutant> {
        Lock::from_raw(Mutant::new(line.clone(), key, self.flaw, self.pollers.clone()))
    }
}

impl Bed for Mutants {
    type Raw = Mutant;

    async fn new() -> Self {
        Self::with(Flaw::None)
    }

    async fn lock(&self, key: &str) -> Lock<Mutant> {
        self.over(&Line::new(self.database.session()), key)
    }

    async fn hurried(&self, key: &str) -> Lock<Mutant> {
        self.lock(key).await
    }

    fn address(&self) -> Option<SocketAddr> {
        None
    }

    async fn lock_through(&self, proxy: SocketAddr, key: &str) -> Lock<Mutant> {
        panic!("memory has no address, so nothing for {key} goes through {proxy}");
    }

    async fn holders(&self, key: &str) -> usize {
        self.database.holders(key)
    }

    async fn waiters(&self, key: &str) -> usize {
        self.database.waiters(key) + self.pollers.count(key)
    }

    async fn kill(&self, key: &str) {
        self.database.kill(key);
    }

    async fn echo(session: SessionRef<'_, Mutant>, number: i64) -> Result<i64, Ended> {
        session.echo(number).await
    }
}

impl SharedBed for Mutants {
    async fn locks<const N: usize>(&self, keys: [&str; N]) -> [Lock<Mutant>; N] {
        let line = Line::new(self.database.session());
        keys.map(|key| self.over(&line, key))
    }
}
