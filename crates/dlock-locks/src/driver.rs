use crate::{Ask, Mode};
use std::error;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

/// A server, for [`Locks`](crate::Locks) to open sessions on: all that a driver writes, with [`Session`].
///
/// Each `Locks` has a thread of its own with a tokio runtime of that thread alone, where every method here
/// is called: futures need not be `Send`, and may spawn.
///
/// # On the drivers there are
///
/// * **tokio-postgres** takes `&self` and pipelines: a batch is one prepared statement, two may be under
///   way (`IN_FLIGHT = 2`), and the connection's own future tells when it has [ended](Session::ended).
/// * **mysql_async** and **tiberius** take `&mut self`, one statement at a time: the session keeps its
///   connection in a `tokio::sync::Mutex` that nobody else ever holds, with `IN_FLIGHT = 1`. No future
///   of a session is dropped halfway unless the session is ended next. mysql_async cannot tell that a
///   connection has ended before it is asked; a ping tells.
/// * **oracle** blocks: the session has a thread of its own, and a future here waits for its answer.
pub trait Driver: Send + Sync + 'static {
    /// What names a lock on this server. Keys that are equal to the server are equal.
    type Key: Clone + Eq + Hash + fmt::Debug + fmt::Display + Send + Sync + 'static;
    /// The native driver's error.
    type Error: error::Error + Send + Sync + 'static;
    /// A session.
    type Session: Session<Key = Self::Key, Error = Self::Error>;

    /// What traces call the server: a value of OpenTelemetry's `db.system.name`.
    const SYSTEM: &'static str = "other_sql";
    /// How many batches of one session may be unanswered.
    const IN_FLIGHT: usize = 1;
    /// How many keys one batch may have.
    const BATCH: usize = 1000;

    /// How long one [`wait`](Session::wait) may take, for a request that has waited for so long; chance makes
    /// it up to a tenth shorter. A dropped request stays in the server's queue until it ends.
    #[must_use]
    fn slice(_waited: Duration) -> Duration {
        Duration::from_millis(900)
    }

    /// Opens a session that is clean: no limits of the role's, nothing that is looked up by somebody
    /// else's search path. It is given up after ten seconds.
    fn open(
        &self,
        options: &SessionOptions,
    ) -> impl Future<Output = Result<Self::Session, Self::Error>>;
}

/// A server that has a shared mode.
pub trait SharedDriver: Driver {}

/// What a session is opened with.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SessionOptions {
    /// After how long of silence the server is to end the session.
    pub lease: Duration,
    /// What the session is called in the server's lists.
    pub name: String,
}

/// A session that holds keys and waits for keys.
pub trait Session: 'static {
    /// What names a lock on this server.
    type Key;
    /// The native driver's error.
    type Error;

    /// What tells one running server from another: when it was started, and which it is.
    fn server(&self) -> &str;

    /// Whether the server ends it after the lease, which was read back.
    fn has_lease(&self) -> bool;

    /// Does all of this in one statement, without waiting for anybody, and says for each whether it came
    /// true: tries that were granted, releases of what was held. No key is in it twice, and none is tried
    /// that the session holds.
    ///
    /// After an error nothing is known of any of them: they are undone, and asked for again.
    fn run(&self, asks: &[Ask<Self::Key>]) -> impl Future<Output = Result<Vec<bool>, Self::Error>>;

    /// Waits in the server's queue for at most this long, rounded up to what the server counts in.
    /// `false`: the session certainly does not hold the key. After an error it may.
    fn wait(
        &self,
        key: &Self::Key,
        mode: Mode,
        limit: Duration,
    ) -> impl Future<Output = Result<bool, Self::Error>>;

    /// The smallest statement that counts as a sign of life.
    fn ping(&self) -> impl Future<Output = Result<(), Self::Error>>;

    /// Whether it has ended, as far as one can know without asking. Looked at after an error.
    fn is_ended(&self) -> bool;

    /// Completes when it has ended, as soon as the driver can know without asking; never, where it cannot.
    fn ended(&self) -> impl Future<Output = ()> {
        std::future::pending()
    }

    /// Ends it, whatever runs on it, and completes when the server has let go, or will without a word from
    /// here. It is given up after five seconds.
    fn end(self) -> impl Future<Output = ()>;
}
