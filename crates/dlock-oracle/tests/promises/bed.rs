//! Oracle laid out for the promises.

use crate::place::{Place, count, sessions};
use dlock_core::SessionRef;
use dlock_oracle::{Key, Lock, Share, User};
use dlock_testkit::bed::{Bed, SharedBed};
use oracle::{Connection, Error};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A kind of session.
pub(crate) trait Kind: Send + Sync + 'static {
    type Session: Share;

    fn of(connection: Connection) -> Self::Session;
}

/// A `Connection`.
pub(crate) enum Owned {}
/// An `Arc<Connection>`.
pub(crate) enum Shared {}

impl Kind for Owned {
    type Session = Connection;

    fn of(connection: Connection) -> Connection {
        connection
    }
}

impl Kind for Shared {
    type Session = Arc<Connection>;

    fn of(connection: Connection) -> Arc<Connection> {
        Arc::new(connection)
    }
}

/// A database, with the observer's session.
pub(crate) struct OracleBed<K> {
    place: Place,
    observer: Connection,
    kind: PhantomData<fn() -> K>,
}

fn id(key: &str) -> u32 {
    Key::from(key).id()
}

impl<K: Kind> Bed for OracleBed<K> {
    type Raw = User<K::Session>;

    const SLACK: Duration = Duration::from_millis(20);
    /// One slice.
    const HAND_OVER: Duration = Duration::from_secs(5);
    /// One slice, where the server does not hear the break.
    const FORGETS: Duration = Duration::from_secs(6);
    const DEADLOCK: Duration = Duration::from_secs(10);

    async fn new() -> Self {
        let place = Place::named("promises");
        Self { observer: place.connect(), place, kind: PhantomData }
    }

    async fn lock(&self, key: &str) -> Lock<K::Session> {
        Lock::new(K::of(self.place.connect()), key).expect("any text is a key")
    }

    async fn hurried(&self, key: &str) -> Lock<K::Session> {
        let connection = self.place.connect();
        connection
            .set_call_timeout(Some(Duration::from_millis(200)))
            .expect("a client of 18 or later");
        Lock::new(K::of(connection), key).expect("any text is a key")
    }

    /// The stand-in is reached by no network; what a proxy would do to it, `behavior.rs` does.
    fn address(&self) -> Option<SocketAddr> {
        None
    }

    async fn lock_through(&self, _proxy: SocketAddr, key: &str) -> Lock<K::Session> {
        self.lock(key).await
    }

    async fn holders(&self, key: &str) -> usize {
        count(&self.observer, id(key)).0
    }

    async fn waiters(&self, key: &str) -> usize {
        count(&self.observer, id(key)).1
    }

    async fn kill(&self, key: &str) {
        for session in sessions(&self.observer, id(key)) {
            let kill = format!("alter system kill session '{session}' immediate");
            self.observer.execute(&kill, &[]).expect("the observer may end sessions");
        }
    }

    async fn echo(session: SessionRef<'_, Self::Raw>, number: i64) -> Result<i64, Error> {
        session.query_row_as::<i64>("select :1 from dual", &[&number])
    }
}

impl SharedBed for OracleBed<Shared> {
    async fn locks<const N: usize>(&self, keys: [&str; N]) -> [Lock<Arc<Connection>>; N] {
        let session = Arc::new(self.place.connect());
        keys.map(|key| Lock::new(Arc::clone(&session), key).expect("any text is a key"))
    }
}
