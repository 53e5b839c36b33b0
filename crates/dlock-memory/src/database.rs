use crate::life::Life;
use crate::queue::Queue;
use crate::reaper::reap;
use crate::table::Table;
use crate::{Connection, Locks, LocksBuilder, Session};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A database made of memory. Clones are the same database.
#[derive(Clone, Debug, Default)]
pub struct Database {
    pub(crate) table: Arc<Mutex<Table>>,
    pub(crate) pace: Arc<watch::Sender<Pace>>,
}

/// How fast the server is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    pub(crate) is_frozen: bool,
    delay: Duration,
}

impl Database {
    /// An empty one.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let locks = database.locks();
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A new session, for a [`Lock`](crate::Lock).
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// use dlock_db::memory::Lock;
    ///
    /// let mut lock = Lock::new(database.session(), "invoice:42")?;
    /// lock.lock().await?.release().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> Session {
        let id = self.table().connect(Life::default());
        Session::new(self.clone(), id)
    }

    /// Locks that own their sessions: each call makes what another process would have.
    ///
    /// # Panics
    /// When the system has no thread left for their sessions.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let [one, other] = [database.locks(), database.locks()]; // as of two processes
    /// let _held = one.lock("invoice:42").await?;
    /// assert!(other.try_lock("invoice:42").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn locks(&self) -> Locks {
        self.builder().build().expect("a thread for the sessions")
    }

    /// The same, with settings.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let locks = database.builder().name("billing").build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(&self) -> LocksBuilder {
        Locks::builder(self.clone())
    }

    /// A connection for fenced transactions.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let database = dlock_db::memory::Database::new();
    /// let held = database.locks().key("invoice:42")?.fenced().lock().await?;
    /// let mut connection = database.connection();
    /// let transaction = held.begin(&mut connection).await?;
    /// // … what is written behind the fence …
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connection(&self) -> Connection {
        Connection::new(self.clone())
    }

    /// A session that is ended when it was silent for the lease.
    pub(crate) fn leased(&self, lease: Duration) -> Session {
        reap(self);
        let id = self.table().connect(Life::new(Some(lease)));
        Session::new(self.clone(), id)
    }

    /// How many sessions hold the key.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let held = database.locks().lock("invoice:42").await?;
    /// assert_eq!(database.holders("invoice:42"), 1);
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn holders(&self, key: &str) -> usize {
        self.table().queue(key).map_or(0, Queue::holders)
    }

    /// How many requests wait for the key.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let held = database.locks().lock("invoice:42").await?;
    /// assert_eq!(database.waiters("invoice:42"), 0);
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn waiters(&self, key: &str) -> usize {
        self.table().queue(key).map_or(0, Queue::waiters)
    }

    /// Ends the sessions that hold or await the key, all at once, as an administrator would.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// let held = database.locks().lock("invoice:42").await?;
    /// database.kill("invoice:42");
    /// println!("{}", held.lost().await);
    /// # Ok(())
    /// # }
    /// ```
    pub fn kill(&self, key: &str) {
        let mut table = self.table();
        let ended: Vec<_> = table.queue(key).into_iter().flat_map(Queue::sessions).collect();
        table.end(&ended);
    }

    /// Cuts the sessions off that hold or await the key: nothing goes through in either direction from now
    /// on, and nobody is told. Those with a lease are ended by it.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// use std::time::Duration;
    ///
    /// let locks = database.builder().lease(Duration::from_secs(3)).build()?;
    /// let held = locks.lock("invoice:42").await?;
    /// database.silence("invoice:42"); // it is lost when its trusted time is over
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn silence(&self, key: &str) {
        let table = self.table();
        let cut: Vec<_> = table.queue(key).into_iter().flat_map(Queue::sessions).collect();
        for id in cut {
            if let Some(life) = table.live.get(&id) {
                life.cut();
            }
        }
    }

    /// Stops the server: nothing is answered, and no lease ends, until it is thawed.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// database.freeze();
    /// // … nothing is answered …
    /// database.thaw();
    /// # Ok(())
    /// # }
    /// ```
    pub fn freeze(&self) {
        self.pace.send_modify(|pace| pace.is_frozen = true);
    }

    /// Lets a frozen server go on: what was asked meanwhile is answered, and leases that are over end.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// database.freeze();
    /// database.thaw();
    /// let held = database.locks().lock("invoice:42").await?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn thaw(&self) {
        self.pace.send_modify(|pace| pace.is_frozen = false);
    }

    /// Has each statement take so long on its way from now on.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dlock_db::memory::Database;
    ///
    /// let database = Database::new();
    /// use std::time::Duration;
    ///
    /// database.delay(Duration::from_millis(20));
    /// let held = database.locks().lock("invoice:42").await?; // slowly
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn delay(&self, delay: Duration) {
        self.pace.send_modify(|pace| pace.delay = delay);
    }

    /// Completes when a statement has been on its way for long enough, and the server runs.
    pub(crate) async fn is_awake(&self) {
        let delay = self.pace.borrow().delay;
        if !delay.is_zero() {
            dlock_core::sleep(delay).await;
        }
        let mut pace = self.pace.subscribe();
        // The sender is here.
        let _ = pace.wait_for(|pace| !pace.is_frozen).await;
    }

    /// The table stays sound when a test panics.
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
