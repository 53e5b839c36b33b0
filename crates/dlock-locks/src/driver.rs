use crate::{Ask, Mode};
use dlock_core::KeyError;
use std::error;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::time::Duration;

/// A server, for [`Locks`](crate::Locks) to open sessions on: all that a driver writes, with [`Session`].
/// What only some servers can do are traits of their own: [`SharedDriver`](crate::SharedDriver) and its
/// neighbours.
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

    /// Another key that belongs to this one: the same for everybody who derives it by this label, and
    /// nobody's by chance.
    fn derive(key: &Self::Key, label: &str) -> Self::Key;

    /// Where waits go in slices: the key that a writer holds while it waits, so that readers who come later
    /// stay behind it. A shared try is refused, and a shared wait waits, while somebody holds it.
    #[must_use]
    fn turnstile(_key: &Self::Key) -> Option<Self::Key> {
        None
    }

    /// The same key, as this server knows it, where its type does not say so already.
    ///
    /// # Errors
    /// Why the server does not take it.
    fn accept(&self, key: Self::Key) -> Result<Self::Key, KeyError> {
        Ok(key)
    }

    /// The key in the one spelling of those that a server which folds names takes for one; `None`: its own.
    /// Several keys are taken in the order of these.
    #[must_use]
    fn folded(_key: &Self::Key) -> Option<Self::Key> {
        None
    }

    /// Whether the server folds names, as it is known when a session was opened.
    fn folds(&self) -> bool {
        false
    }

    /// Whether the server can do this, where the driver's type does not say so already.
    ///
    /// # Errors
    /// What it has not.
    fn can(&self, _mode: Mode, _is_fenced: bool) -> Result<(), Self::Error> {
        Ok(())
    }

    /// What to do where this error says that something is missing on the server: a table, a grant. One sentence.
    #[must_use]
    fn advice(_error: &Self::Error) -> Option<String> {
        None
    }

    /// How its sessions are used: by the constants here, where its type says them.
    fn usage(&self) -> Usage {
        Usage { in_flight: Self::IN_FLIGHT, batch: Self::BATCH, slice: Self::slice }
    }

    /// Opens a session that is clean: no limits of the role's, nothing that is looked up by somebody
    /// else's search path. It is given up after ten seconds.
    fn open(
        &self,
        options: &SessionOptions,
    ) -> impl Future<Output = Result<Self::Session, Self::Error>>;
}

/// How sessions of a driver are used.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// How many batches of one session may be unanswered.
    pub in_flight: usize,
    /// How many keys one batch may have.
    pub batch: usize,
    /// How long one wait may take, for a request that has waited for so long.
    pub slice: fn(Duration) -> Duration,
}

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

    /// Waits in the server's queue for at most this long, rounded up to what the server counts in; zero is
    /// a try. `false`: the session certainly does not hold the key. After an error it may.
    fn wait(
        &self,
        key: &Self::Key,
        mode: Mode,
        limit: Duration,
    ) -> impl Future<Output = Result<bool, Self::Error>>;

    /// Waits for the other mode of a key that this session holds, for at most this long. `false`: it is
    /// held as before. After an error nobody knows, and the session is ended.
    ///
    /// Called where the driver is an [`UpdateDriver`](crate::UpdateDriver) or a
    /// [`ModesDriver`](crate::ModesDriver).
    fn convert(
        &self,
        _key: &Self::Key,
        _from: Mode,
        _to: Mode,
        _limit: Duration,
    ) -> impl Future<Output = Result<bool, Self::Error>> {
        std::future::ready(Ok(false))
    }

    /// Raises the key's bid, in a commit of its own, and then its fence, whose number is returned. The
    /// session holds the key and no other. `None`: fenced transactions of an earlier holder were in the way
    /// for this long.
    ///
    /// Called where the driver is a [`FencedDriver`](crate::FencedDriver).
    fn raise(
        &self,
        _key: &Self::Key,
        _limit: Duration,
    ) -> impl Future<Output = Result<Option<u64>, Self::Error>> {
        std::future::ready(Ok(None))
    }

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
