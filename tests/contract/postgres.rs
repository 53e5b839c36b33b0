//! PostgreSQL.

use crate::{is_send, is_send_and_static, layer};
use dlock_db::postgres::tokio_postgres::{Client, Config, Connection, NoTls, Socket, connect};
use dlock_db::postgres::{
    All, Alone, Error, Guard, Held, HeldAlone, HeldMode, Holder, Key, Lock, Locks, LocksBuilder,
    LocksError, Mode, OwnedGuard, Permit, Request, Semaphore, Server, Session, Term, XactLock,
};
use dlock_db::{NotAcquired, Wait, lock};
use dlock_testkit::server::Postgres;
use std::sync::Arc;
use std::time::Duration;

fn url() -> &'static str {
    Postgres::shared().expect("a PostgreSQL server").url()
}

type Halves = (Client, Connection<Socket, dlock_db::postgres::tokio_postgres::tls::NoTlsStream>);

async fn halves() -> Halves {
    connect(url(), NoTls).await.expect("a server that answers")
}

async fn client() -> Client {
    let (client, connection) = halves().await;
    tokio::spawn(connection);
    client
}

/// Each session that is said to be taken, shared or not, by both constructors.
#[tokio::test]
async fn sessions() -> Result<(), Error> {
    let mut borrowed = client().await;
    let guard = Lock::new(&borrowed, 1_i64)?.shared().lock_owned().await.map_err(Error::from)?;
    assert_eq!(guard.mode(), Mode::Shared);
    guard.release().await.map_err(Error::from)?;
    lock(&borrowed, (1, 2))?.lock().await?.release().await?;

    let mut lent = Lock::new(&mut borrowed, "contract:lent")?;
    let mut guard: Guard<'_, &mut Client> = lent.lock().await?;
    let transaction = guard.session().transaction().await.map_err(Error::Driver)?;
    transaction.commit().await.map_err(Error::Driver)?;
    guard.release().await?;
    drop(lent);

    let mut owned: Lock = lock(client().await, b"contract:owned")?;
    let _: Option<&mut Client> = owned.session();
    let mut guard: OwnedGuard = owned.lock_owned().await?;
    guard.session().transaction().await.map_err(Error::Driver)?.commit().await.unwrap();
    let client: Client = guard.release().await?.into_session().await?;

    let shared: Lock<Arc<Client>> = Lock::new(Arc::new(client), String::from("contract:shared"))?;
    let guard = is_send_and_static(shared.lock_owned_within(Duration::from_secs(5))).await?;
    let _: Arc<Client> = guard.release().await?.into_session().await?;

    let (client, connection) = halves().await;
    let both: Lock<Session> = Lock::new(Session::new(client, connection), vec![1, 2])?;
    let mut guard: OwnedGuard<Session> = both.lock_owned().await?;
    guard.session().simple_query("SELECT 1").await.map_err(Error::Driver)?;
    let _: Session = guard.release().await?.into_session().await?;
    Ok(())
}

/// The table of calls, in its order.
#[tokio::test]
async fn calls() -> Result<(), Error> {
    let (client, other) = (client().await, client().await);
    let mut lock = Lock::new(&client, "contract:calls")?.slice(Duration::from_millis(500));
    let mut elsewhere = Lock::new(&other, "contract:calls")?;
    assert!(!lock.is_locked() && format!("{lock}").starts_with("unlocked"));
    let guard: Guard<'_, &Client> = is_send(lock.lock()).await?;
    assert!(elsewhere.try_lock().await?.is_none());
    let late = elsewhere.lock_within(Duration::from_millis(20)).await.map(drop);
    assert!(matches!(late, Err(Error::TimedOut)), "{late:?}");
    assert!(!elsewhere.acquire(Duration::ZERO).await?);
    assert!(!elsewhere.acquire(Some(Duration::from_millis(20))).await?);
    let refused = Lock::new(&other, "contract:calls")?.try_lock_owned().await;
    let Err(NotAcquired { lock: given_back, error: Error::TimedOut }) = refused else { panic!() };
    assert_eq!(given_back.key(), &Key::from("contract:calls"));
    for wait in [Wait::No, Wait::For(Duration::from_millis(20))] {
        let scope = elsewhere.with(wait, async |_: &Client| ()).await.map_err(Error::from);
        assert!(matches!(scope, Err(Error::TimedOut)), "{scope:?}");
    }
    guard.release().await?;
    assert!(lock.acquire(None).await? && lock.is_locked());
    assert!(format!("{lock:?}").contains("contract:calls"));
    assert!(matches!(lock.acquire(Wait::No).await, Err(Error::AlreadyLocked)));
    let again = Lock::new(&client, "contract:calls")?.acquire(Wait::No).await;
    assert!(matches!(again, Err(Error::AlreadyHeld)), "{again:?}");
    lock.release().await?;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    lock.close().await?;
    drop(lock);
    let spawned = tokio::spawn(async move {
        let mut lock = Lock::new(client, "contract:calls")?;
        let rows = lock.with(Wait::Forever, async |client| client.simple_query("SELECT 1").await);
        let rows: usize = rows.await?.map_err(Error::Driver)?.len();
        Ok::<_, Error>(rows)
    });
    assert!(spawned.await.expect("no panic")? > 0);
    Ok(())
}

/// A lock of the transaction's: no guard, no release.
#[tokio::test]
async fn transactions() -> Result<(), Error> {
    let (mut client, other) = (client().await, client().await);
    let transaction = client.transaction().await.map_err(Error::Driver)?;
    let mut by_name: XactLock<'_> = XactLock::new(&transaction, "contract:xact")?;
    let () = by_name.lock().await?;
    assert!(by_name.is_locked() && by_name.mode() == Mode::Exclusive);
    let _: (&Key, Option<&Client>) = (&by_name.key().clone(), by_name.session());
    let mut second = lock(&transaction, "contract:xact 2")?.shared();
    assert!(second.try_lock().await?);
    let () = XactLock::new(&transaction, 7)?.lock_within(Duration::from_secs(1)).await?;
    assert!(XactLock::new(&transaction, 8)?.acquire(None).await?);
    let mut elsewhere = Lock::new(&other, "contract:xact")?;
    assert!(elsewhere.try_lock().await?.is_none());
    transaction.commit().await.map_err(Error::Driver)?;
    elsewhere.try_lock().await?.expect("COMMIT has freed it").release().await
}

#[tokio::test]
async fn locks() {
    let connect = || layer::connected::<Server>(url());
    let locks: [Locks; 3] = [connect().await, connect().await, connect().await];
    let [one, other, _] = &locks;
    layer::shares(one, other, "contract:shares").await;
    layer::alone(one, other, "contract:alone").await;
    let held = layer::fences(one, "contract:fences").await;
    let mut client = client().await;
    let transaction = held.begin(&mut client).await.expect("a fence that stands");
    transaction.commit().await.expect("its end");
    held.release().await.expect("a held key");
    let builder = Locks::builder_from_url(url()).expect("a URL");
    layer::names_holders(builder, one, "contract:names").await;
    layer::every(locks, "contract", true).await;
}

/// Never run: it compiles, or the names are not what they are said to be.
#[allow(dead_code)]
async fn names(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let builder: LocksBuilder = Locks::builder(config).tls(NoTls);
    let locks: Locks = layer::settings(builder).connect().await?;
    let request: Request = locks.key("a")?;
    let alone: Alone = request.alone();
    let mut held: HeldAlone = alone.lock().await?;
    held.session().transaction().await?.commit().await?;
    let all: All = locks.all(["a", "b"])?;
    let held: Held = all.lock().await?;
    let _: HeldMode = held.mode();
    let semaphore: Semaphore = locks.semaphore("s", 3)?;
    let _: Option<Permit> = semaphore.try_acquire().await?;
    let _: Vec<Holder> = locks.holder("a").await?;
    let result: Result<(), LocksError> =
        locks.lead("l", async |_: Term| std::ops::ControlFlow::Break(())).await;
    Ok(result?)
}
