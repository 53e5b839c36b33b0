//! MySQL and MariaDB.

use crate::{is_send_and_static, layer};
use dlock_db::mysql::mysql_async::{
    Conn, Connection, Opts, OptsBuilder, Pool, TxOpts, prelude::Queryable,
};
use dlock_db::mysql::{
    All, Alone, Error, Guard, Held, HeldAlone, HeldMode, Holder, Key, Lock, Locks, LocksBuilder,
    LocksError, Mode, OwnedGuard, Permit, Request, Semaphore, Server, Term,
};
use dlock_db::{NotAcquired, Wait, lock};
use dlock_testkit::server::{MariaDb, MySql};
use std::time::Duration;

const URLS: [fn() -> &'static str; 2] = [
    || MySql::shared().expect("a MySQL server").url(),
    || MariaDb::shared().expect("a MariaDB server").url(),
];

async fn conn(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("its own URL")).await.expect("a server that answers")
}

/// Each session that is said to be taken, by both constructors.
async fn sessions(url: &str) -> Result<(), Error> {
    let owned: Lock = Lock::new(conn(url).await, "contract:owned")?;
    let mut guard: OwnedGuard = is_send_and_static(owned.lock_owned()).await?;
    let _: Option<u8> = guard.session().query_first("SELECT 1").await.map_err(Error::Driver)?;
    let mut conn: Conn = guard.release().await?.into_session().await?;

    let mut lent = lock(&mut conn, 42)?;
    let mut guard: Guard<'_, &mut Conn> = lent.lock().await?;
    guard.session().ping().await.map_err(Error::Driver)?;
    guard.release().await?;
    drop(lent);

    let mut transaction = conn.start_transaction(TxOpts::new()).await.map_err(Error::Driver)?;
    let mut lock = Lock::new(&mut transaction, b"contract:tx")?;
    lock.lock().await?.release().await?;
    drop(lock);
    transaction.commit().await.map_err(Error::Driver)?;

    let mut connection = Connection::from(&mut conn);
    let mut lock = dlock_db::lock(&mut connection, "contract:ref")?;
    lock.lock().await?.release().await
}

#[tokio::test]
async fn a_session_of_each_kind() -> Result<(), Error> {
    for url in URLS {
        sessions(url()).await?;
    }
    Ok(())
}

/// The table of calls, in its order.
async fn calls(url: &str) -> Result<(), Error> {
    let mut lock = Lock::new(conn(url).await, "contract:calls")?;
    let mut elsewhere = Lock::new(conn(url).await, "contract:calls")?;
    let guard: Guard<'_> = lock.lock().await?;
    assert_eq!((guard.mode(), guard.key().as_str()), (Mode::Exclusive, "contract:calls"));
    assert!(elsewhere.try_lock().await?.is_none());
    let late = elsewhere.lock_within(Duration::from_millis(20)).await.map(drop);
    assert!(matches!(late, Err(Error::TimedOut)), "{late:?}");
    assert!(!elsewhere.acquire(Duration::ZERO).await?);
    let scope = elsewhere.with(Wait::No, async |_: &mut Conn| ()).await.map_err(Error::from);
    assert!(matches!(scope, Err(Error::TimedOut)), "{scope:?}");
    let refused = elsewhere.try_lock_owned().await;
    let Err(NotAcquired { lock: given_back, error: Error::TimedOut }) = refused else { panic!() };
    guard.release().await?;
    assert!(lock.acquire(None).await? && lock.is_locked());
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyLocked)));
    lock.release().await?;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    lock.close().await?;
    let guard: OwnedGuard = given_back.lock_owned_within(Duration::from_secs(5)).await?;
    guard.abort().await.map_err(Error::from)?;
    let spawned = tokio::spawn(async move {
        let seven = lock.with(Wait::Forever, async |conn| conn.query_first("SELECT 7").await).await;
        let seven: Option<u8> = seven?.map_err(Error::Driver)?;
        Ok::<_, Error>(seven)
    });
    assert_eq!(spawned.await.expect("no panic")?, Some(7));
    Ok(())
}

#[tokio::test]
async fn the_table_of_calls() -> Result<(), Error> {
    for url in URLS {
        calls(url()).await?;
    }
    Ok(())
}

async fn locks(url: &str) {
    let connect = || layer::connected::<Server>(url);
    let locks: [Locks; 3] = [connect().await, connect().await, connect().await];
    let [one, other, _] = &locks;
    layer::alone(one, other, "contract:alone").await;
    let held = layer::fences(one, "contract:fences").await;
    let mut conn = conn(url).await;
    let transaction = held.begin(&mut conn).await.expect("a fence that stands");
    transaction.commit().await.expect("its end");
    held.release().await.expect("a held key");
    let builder = Locks::builder_from_url(url).expect("a URL");
    layer::names_holders(builder, one, "contract:names").await;
    layer::every(locks, "contract", true).await;
}

#[tokio::test]
async fn locks_on_mysql() {
    locks(URLS[0]()).await;
}

#[tokio::test]
async fn locks_on_mariadb() {
    let list = "INSTALL SONAME 'metadata_lock_info'"; // what MariaDB shows locks by
    conn(URLS[1]()).await.query_drop(list).await.expect("a plugin of MariaDB's own");
    locks(URLS[1]()).await;
}

/// Never run: it compiles, or the names are not what they are said to be.
#[allow(dead_code)]
async fn names(opts: OptsBuilder, pool: Pool) -> Result<(), Box<dyn std::error::Error>> {
    let of_a_pool = Lock::new(pool.get_conn().await?, Key::hashed("a"))?.prepared();
    of_a_pool.lock_owned().await?.release().await?;
    let builder: LocksBuilder = Locks::builder(Opts::from(opts));
    let locks: Locks = layer::settings(builder).connect().await?;
    let request: Request = locks.key("a")?;
    let alone: Alone = request.alone();
    let mut held: HeldAlone = alone.lock().await?;
    held.session().query_drop("DO 1").await?;
    let all: All = locks.all(["a", "b"])?;
    let held: Held = all.lock().await?;
    let _: HeldMode = held.mode();
    let semaphore: Semaphore = locks.semaphore("s", 3)?;
    let _: Option<Permit> = semaphore.try_acquire().await?;
    let _: Vec<Holder> = locks.holder("a").await?;
    let led = locks.lead("l", async |_: Term| std::ops::ControlFlow::Break(()));
    let led: Result<(), LocksError> = led.await;
    Ok(led?)
}
