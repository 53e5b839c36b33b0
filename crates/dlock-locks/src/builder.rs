use crate::blame::Blame;
use crate::clock::Clock;
use crate::driver::{Driver, SessionOptions, Usage};
use crate::engine::Plan;
use crate::engine::meter::Meter;
use crate::engine::progress::Look;
use crate::locks::Shared;
use crate::model::Settings;
use crate::{Error, Locks, TlsDriver, engine};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The shortest lease there is: a server counts in seconds, and a slow answer is no loss.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);
/// The longest: PostgreSQL, and TCP on Linux, count milliseconds in 31 bits, which are 24.8 days.
/// <https://www.postgresql.org/docs/current/config-setting.html>
const LONGEST_LEASE: Duration = Duration::from_secs(24 * 24 * 3600);

/// Settings of a [`Locks`].
#[must_use = "nothing is built yet"]
pub struct LocksBuilder<D: Driver> {
    driver: D,
    settings: Settings,
    options: SessionOptions,
    progress: Option<Look<D>>,
    blame: Option<Blame<D>>,
}

impl<D: Driver> LocksBuilder<D> {
    pub(crate) fn new(driver: D) -> Self {
        let Usage { in_flight, batch: max_batch, slice } = driver.usage();
        let settings = Settings { max_batch, in_flight, slice, ..Settings::default() };
        let options = SessionOptions { lease: settings.lease, name: "dlock".to_owned() };
        Self { driver, settings, options, progress: None, blame: None }
    }

    /// How many sessions may wait, or be there to wait, at a time: 8 unless said. Four times as many may
    /// hold what they waited for. At least 1.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().max_waiting(4).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_waiting(mut self, sessions: usize) -> Self {
        self.settings.max_waiting = sessions.max(1);
        self.settings.max_sessions = sessions.max(1).saturating_mul(4).saturating_add(1);
        self
    }

    /// How many keys may be held or asked for at a time: 1000 unless said.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().max_keys(10_000).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_keys(mut self, keys: usize) -> Self {
        self.settings.max_keys = keys;
        self
    }

    /// After how long of silence the server lets go: 10 seconds unless said, at least 3 and at most 24 days.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// use std::time::Duration;
    ///
    /// let locks = database.builder().lease(Duration::from_secs(5)).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease.clamp(SHORTEST_LEASE, LONGEST_LEASE);
        self.options.lease = self.settings.lease;
        self
    }

    /// How long a key may stay in this process while others in it want it and somebody elsewhere may: 100
    /// milliseconds unless said.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// use std::time::Duration;
    ///
    /// let locks = database.builder().stay(Duration::from_millis(20)).build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn stay(mut self, longest: Duration) -> Self {
        self.settings.stay = longest;
        self
    }

    /// What the sessions are called in the server's lists: `dlock` unless said.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().name("billing").build()?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.name = name.into();
        self
    }

    pub(crate) fn with_progress(mut self, look: Option<Look<D>>) -> Self {
        self.progress = look;
        self
    }

    pub(crate) fn with_blame(mut self, look: Option<Blame<D>>) -> Self {
        self.blame = look;
        self
    }

    /// Opens sessions with TLS by this connector of the native driver's.
    ///
    /// Of the drivers here PostgreSQL's alone takes one; the others read the URL, or the native driver's options.
    ///
    /// # Examples
    /// ```
    /// # use dlock_db::{Locks, LocksBuilder, TlsDriver};
    /// # fn example<C, D: TlsDriver<C>>(builder: LocksBuilder<D>, connector: C)
    /// # -> Result<Locks<D>, Box<dyn std::error::Error>> {
    /// let locks = builder.tls(connector).build()?;
    /// # Ok(locks)
    /// # }
    /// ```
    pub fn tls<C>(mut self, connector: C) -> Self
    where
        D: TlsDriver<C>,
    {
        self.driver = self.driver.with_tls(connector);
        self
    }

    /// The locks. Nothing is opened yet.
    ///
    /// # Errors
    /// [`Error::Thread`] when the system has no thread left.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().build()?; // nothing is opened yet
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub fn build(self) -> Result<Locks<D>, Error<D::Error>> {
        let clock = Clock::start();
        let (driver, name) = (Arc::new(self.driver), self.options.name.clone());
        let meter = Arc::new(Meter::new(D::SYSTEM, &name));
        let settings = self.settings;
        let plan = Plan {
            driver: Arc::clone(&driver),
            settings: settings.clone(),
            options: self.options,
            clock,
            meter: Arc::clone(&meter),
            progress: self.progress,
        };
        let inputs = engine::start(plan).map_err(Error::Thread)?;
        let mut shared = Shared::new(driver, name, settings, inputs, clock, meter);
        shared.blame = self.blame;
        Ok(Locks { shared: Arc::new(shared) })
    }

    /// The locks, with one session open: what cannot work is known now.
    ///
    /// # Errors
    /// [`Error::NotConnected`] when no session could be opened.
    ///
    /// # Cancel safety
    /// Dropped, nothing stays open.
    ///
    /// # Examples
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let database = dlock_db::memory::Database::new();
    /// let locks = database.builder().name("billing").connect().await?;
    /// # drop(locks);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(self) -> Result<Locks<D>, Error<D::Error>> {
        let locks = self.build()?;
        locks.open().await?;
        Ok(locks)
    }
}

impl<D: Driver> fmt::Debug for LocksBuilder<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocksBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
