#![cfg_attr(docsrs, feature(doc_cfg))]
// Its examples are over PostgreSQL.
#![cfg_attr(any(feature = "postgres", not(doctest)), doc = include_str!("../README.md"))]
#![cfg_attr(all(doctest, not(feature = "postgres")), doc = "Distributed locks over databases.")]

/// A lock over whatever session it is given; the session's type picks the lock's.
///
/// ```no_run
/// # #[cfg(feature = "postgres")]
/// # async fn example(client: tokio_postgres::Client) -> Result<(), dlock_db::postgres::Error> {
/// let mut lock = dlock_db::lock(&client, "invoice:42")?;
/// let guard = lock.lock().await?;
/// guard.release().await?;
/// # Ok(())
/// # }
/// # #[cfg(feature = "postgres")]
/// # use dlock_db::postgres::tokio_postgres;
/// ```
#[doc(inline)]
pub use dlock_core::lock;

#[doc(inline)]
pub use dlock_core::{Error, KeyError, Wait};

/// What code names that is generic over the database.
///
/// ```
/// use dlock_db::{Error, Lock, RawUnlock, Wait};
///
/// async fn bump<R: RawUnlock>(lock: &mut Lock<R>) -> Result<u32, Error<R::Error>> {
///     let bumped = lock.with(Wait::Forever, async |_session| 1).await;
///     bumped.map_err(Error::from)
/// }
/// ```
#[doc(inline)]
pub use dlock_core::{
    ByMut, ByRef, Guard, Lend, Lock, Name, Naming, NotAcquired, NotReleased, Over, OwnedGuard,
    RawAbort, RawConvert, RawIntoSession, RawLock, RawMode, RawNew, RawPrepared,
    RawReleaseOnCommit, RawShared, RawSlice, RawUnlock, RawUpdate, RawUpgrade, Session, SessionRef,
    WithError, XactLock,
};

/// What code names that is generic over the database of [`Locks`].
///
/// ```
/// use dlock_db::{Driver, Locks, LocksError};
///
/// async fn bump<D: Driver>(locks: &Locks<D>, key: D::Key) -> Result<(), LocksError<D::Error>> {
///     let held = locks.lock(key).await?;
///     // … critical section …
///     held.release().await
/// }
/// ```
#[doc(inline)]
pub use dlock_locks::{
    All, Alone, AloneDriver, CancellationToken, Driver, Error as LocksError, FencedConnection,
    FencedDriver, Finding, Held, HeldAlone, Holder, InspectDriver, Locks, LocksBuilder, Lost,
    LostReason, Mode, ModeDriver, ModesDriver, Permit, Request, Semaphore, Severity, SharedDriver,
    Stats, Term, TlsDriver, UpdateDriver, UrlDriver,
};

/// PostgreSQL advisory locks on tokio-postgres.
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
#[doc(inline)]
pub use dlock_postgres as postgres;

/// MySQL and MariaDB named locks on mysql_async.
#[cfg(feature = "mysql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mysql")))]
#[doc(inline)]
pub use dlock_mysql as mysql;

/// SQL Server application locks on tiberius.
#[cfg(feature = "mssql")]
#[cfg_attr(docsrs, doc(cfg(feature = "mssql")))]
#[doc(inline)]
pub use dlock_mssql as mssql;

/// Oracle user locks on rust-oracle.
#[cfg(feature = "oracle")]
#[cfg_attr(docsrs, doc(cfg(feature = "oracle")))]
#[doc(inline)]
pub use dlock_oracle as oracle;

/// A database made of memory, for tests of code that locks.
#[cfg(feature = "memory")]
#[cfg_attr(docsrs, doc(cfg(feature = "memory")))]
#[doc(inline)]
pub use dlock_memory as memory;

#[cfg(any(feature = "mssql", feature = "mysql", feature = "oracle", feature = "postgres"))]
mod any;

#[cfg(any(feature = "mssql", feature = "mysql", feature = "oracle", feature = "postgres"))]
#[cfg_attr(
    docsrs,
    doc(cfg(any(
        feature = "mssql",
        feature = "mysql",
        feature = "oracle",
        feature = "postgres"
    )))
)]
#[doc(inline)]
pub use any::{AnyConnection, AnyError, AnyKey, AnyLock, AnyLocks, AnyServer, AnySession};

/// The front pages of the driver crates, whose examples are compiled with this crate's.
#[cfg(doctest)]
mod front_pages {
    #[cfg(feature = "postgres")]
    #[doc = include_str!("../crates/dlock-postgres/README.md")]
    mod postgres {}

    #[cfg(feature = "mysql")]
    #[doc = include_str!("../crates/dlock-mysql/README.md")]
    mod mysql {}

    #[cfg(feature = "mssql")]
    #[doc = include_str!("../crates/dlock-mssql/README.md")]
    mod mssql {}

    #[cfg(feature = "oracle")]
    #[doc = include_str!("../crates/dlock-oracle/README.md")]
    mod oracle {}
}

/// The guide, whose examples are compiled with this crate's.
#[cfg(all(doctest, feature = "postgres"))]
mod guide {
    #[doc = include_str!("../docs/guide/fencing.md")]
    mod fencing {}

    #[doc = include_str!("../docs/guide/few-connections.md")]
    mod few_connections {}

    #[doc = include_str!("../docs/guide/from-distributedlock.md")]
    mod from_distributedlock {}

    #[doc = include_str!("../docs/guide/from-sqlalchemy-dlock.md")]
    mod from_sqlalchemy_dlock {}

    #[doc = include_str!("../docs/guide/job-timeouts.md")]
    mod job_timeouts {}

    #[doc = include_str!("../docs/guide/keys.md")]
    mod keys {}

    #[doc = include_str!("../docs/guide/leaders-and-loss.md")]
    mod leaders_and_loss {}

    #[doc = include_str!("../docs/guide/loss-and-leases.md")]
    mod loss_and_leases {}

    #[doc = include_str!("../docs/guide/many-keys.md")]
    mod many_keys {}

    #[doc = include_str!("../docs/guide/poolers-and-hosted-servers.md")]
    mod poolers_and_hosted_servers {}

    #[doc = include_str!("../docs/guide/pools.md")]
    mod pools {}

    #[doc = include_str!("../docs/guide/seeing-locks.md")]
    mod seeing_locks {}

    #[doc = include_str!("../docs/guide/semaphores-and-leaders.md")]
    mod semaphores_and_leaders {}

    #[doc = include_str!("../docs/guide/observability.md")]
    mod observability {}

    #[doc = include_str!("../docs/guide/testing-without-a-server.md")]
    mod testing_without_a_server {}

    #[doc = include_str!("../docs/guide/tls.md")]
    mod tls {}

    #[doc = include_str!("../docs/guide/transactions.md")]
    mod transactions {}

    #[doc = include_str!("../docs/guide/vacuum-and-concurrently.md")]
    mod vacuum_and_concurrently {}

    #[doc = include_str!("../docs/guide/writing-a-driver.md")]
    mod writing_a_driver {}

    #[doc = include_str!("../docs/guide/your-own-connection.md")]
    mod your_own_connection {}
}

/// What a server has not does not compile.
#[cfg(all(
    doctest,
    feature = "memory",
    feature = "mssql",
    feature = "mysql",
    feature = "oracle",
    feature = "postgres"
))]
mod absent {
    /// ```compile_fail,E0599
    /// fn example(lock: dlock_db::mysql::Lock) {
    ///     let _ = lock.shared();
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// fn example(request: dlock_db::mysql::Request) {
    ///     let _ = request.shared();
    /// }
    /// ```
    mod shared {}

    /// ```compile_fail,E0599
    /// async fn example(mut lock: dlock_db::postgres::Lock) {
    ///     let _ = lock.upgrade(None).await;
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// async fn example(guard: dlock_db::postgres::OwnedGuard) {
    ///     let _ = guard.abort().await;
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// fn example(request: dlock_db::oracle::Request) {
    ///     let _ = request.fenced();
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// fn example(lock: dlock_db::memory::Lock) {
    ///     let _ = lock.release_on_commit();
    /// }
    /// ```
    mod others {}

    /// ```compile_fail,E0599
    /// async fn example(mut lock: dlock_db::postgres::XactLock<'_>) {
    ///     let _ = lock.release().await;
    /// }
    /// ```
    ///
    /// ```compile_fail,E0599
    /// async fn example(mut lock: dlock_db::postgres::XactLock<'_>) {
    ///     let _ = lock.close().await;
    /// }
    /// ```
    mod of_transactions {}
}
