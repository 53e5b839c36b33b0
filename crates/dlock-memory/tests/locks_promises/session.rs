use crate::way::{Connection, Way};
use dlock_locks::{Ask, Driver, Mode, SessionOptions, SharedDriver};
use dlock_memory::{Database, Ended, Key};
use std::future::{Future, pending};
use std::time::Duration;

/// A database, and a way to it that can fail.
#[derive(Clone, Debug)]
pub(crate) struct Far {
    pub(crate) database: Database,
    /// The network of one process, and the server's own end of all networks.
    pub(crate) ways: [Way; 2],
}

/// A session there.
pub(crate) struct FarSession {
    session: <Database as Driver>::Session,
    connections: [Connection; 2],
}

impl Driver for Far {
    type Key = Key;
    type Error = Ended;
    type Session = FarSession;

    const IN_FLIGHT: usize = Database::IN_FLIGHT;

    fn derive(key: &Key, label: &str) -> Key {
        Database::derive(key, label)
    }

    fn turnstile(key: &Key) -> Option<Key> {
        Database::turnstile(key)
    }

    async fn open(&self, options: &SessionOptions) -> Result<FarSession, Ended> {
        let [network, server] = &self.ways;
        let network = network.connect().await.ok_or(Ended)?;
        let server = server.connect().await.ok_or(Ended)?;
        let session = self.database.open(options).await?;
        Ok(FarSession { session, connections: [network, server] })
    }
}

impl SharedDriver for Far {}

impl FarSession {
    fn is_cut(&self) -> bool {
        self.connections.iter().any(Connection::is_cut)
    }

    async fn pass(&self) {
        for connection in &self.connections {
            connection.pass().await;
        }
    }

    /// There and back; a connection that is closed meanwhile answers nothing.
    async fn trip<T>(&self, statement: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
        let trip = async {
            self.pass().await;
            let answer = statement.await;
            self.pass().await;
            answer
        };
        let [network, server] = &self.connections;
        tokio::select! {
            biased;
            () = network.cut() => Err(Ended),
            () = server.cut() => Err(Ended),
            answer = trip => answer,
        }
    }
}

impl dlock_locks::Session for FarSession {
    type Key = Key;
    type Error = Ended;

    fn server(&self) -> &str {
        self.session.server()
    }

    fn has_lease(&self) -> bool {
        self.session.has_lease()
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, Ended> {
        self.trip(self.session.run(asks)).await
    }

    async fn wait(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, Ended> {
        self.trip(self.session.wait(key, mode, limit)).await
    }

    async fn ping(&self) -> Result<(), Ended> {
        self.trip(self.session.ping()).await
    }

    fn is_ended(&self) -> bool {
        let is_lost = self.connections.iter().any(Connection::is_lost);
        self.is_cut() || (!is_lost && self.session.is_ended())
    }

    async fn ended(&self) {
        let heard = async {
            self.session.ended().await;
            self.pass().await;
        };
        let [network, server] = &self.connections;
        tokio::select! {
            () = network.cut() => {}
            () = server.cut() => {}
            () = heard => {}
            () = pending() => {}
        }
    }

    /// What does not get there ends with its lease.
    async fn end(self) {
        if !self.is_cut() && self.connections.iter().any(Connection::is_still) {
            return std::mem::forget(self.session);
        }
        self.session.end().await;
    }
}
