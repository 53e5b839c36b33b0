//! SQL Server, in front of the stand-in.

use crate::{is_send_and_static, layer};
use dlock_db::mssql::tiberius::{Client, Config};
use dlock_db::mssql::{
    All, Alone, Error, Guard, Held, HeldAlone, HeldMode, Holder, Key, Lock, Locks, LocksBuilder,
    LocksError, Mode, OwnedGuard, Permit, Pooled, Request, Semaphore, Server, Term, XactLock,
};
use dlock_db::{Wait, lock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};

type Tcp = Client<Compat<TcpStream>>;

async fn client(url: &str) -> Tcp {
    let config = Config::from_ado_string(url).expect("an ADO.NET string");
    let stream = TcpStream::connect(config.get_addr()).await.expect("the server listens");
    Client::connect(config, stream.compat_write()).await.expect("the server lets in")
}

#[tokio::test]
async fn a_lock() -> Result<(), Error> {
    let standin = standin_mssql::Server::start().await.expect("the stand-in");
    let mut other = client(&standin.url()).await;
    let mut lock: Lock<Tcp> = Lock::new(client(&standin.url()).await, "contract:lock")?.update();
    let guard: Guard<'_, Tcp> = lock.lock().await?;
    let mut elsewhere = Lock::new(&mut other, "contract:lock")?;
    assert!(elsewhere.try_lock().await?.is_none());
    let late = elsewhere.lock_within(Duration::from_millis(20)).await.map(drop);
    assert!(matches!(late, Err(Error::TimedOut)), "{late:?}");
    let (guard, upgraded) = guard.upgrade(Wait::Forever).await?;
    assert!(upgraded && guard.mode() == Mode::Exclusive);
    guard.release().await?;
    assert!(lock.acquire(None).await? && lock.upgrade(Wait::No).await?);
    lock.release().await?;
    assert!(matches!(lock.release().await, Err(Error::NotLocked)));
    lock.close().await?;
    let scope = lock.with(Wait::Forever, async |client: &mut Tcp| {
        client.simple_query("SELECT 1").await.unwrap().into_row().await.unwrap().is_some()
    });
    assert!(scope.await?);
    let guard: OwnedGuard<Tcp> = is_send_and_static(lock.lock_owned()).await?;
    let _: Tcp = guard.release().await?.into_session().await?;
    drop(elsewhere);
    in_a_transaction(&mut other).await
}

async fn in_a_transaction(client: &mut Tcp) -> Result<(), Error> {
    client.begin_transaction().await.map_err(Error::Driver)?;
    let mut xact: XactLock<'_, Compat<TcpStream>> = XactLock::new(&mut *client, 42)?.shared();
    xact.lock().await?;
    assert!(xact.is_locked() && XactLock::new(&mut *client, 43)?.update().try_lock().await?);
    client.commit_transaction().await.map_err(Error::Driver)?;
    let not_update = lock(&mut *client, "contract:mode")?.acquire(Wait::No).await?;
    assert!(not_update);
    Ok(())
}

#[tokio::test]
async fn locks() {
    let standin = standin_mssql::Server::start().await.expect("the stand-in");
    let url = standin.url();
    let connect = || layer::connected::<Server>(&url);
    let locks: [Locks; 3] = [connect().await, connect().await, connect().await];
    let [one, other, _] = &locks;
    layer::shares(one, other, "contract:shares").await;
    layer::alone(one, other, "contract:alone").await;
    let held = one.key("contract:update").unwrap().update().lock().await.expect("a free key");
    let (held, upgraded) = held.upgrade(Wait::Forever).await.expect("an answer");
    assert!(upgraded && held.mode() == HeldMode::Exclusive);
    held.release().await.expect("a held key");
    modes(one, other).await;
    layer::every(locks, "contract", false).await;
}

/// `.mode(…)` means the method of that name, with a session lent or not.
async fn modes(one: &Locks, other: &Locks) {
    let request = |locks: &Locks| locks.key("contract:modes").expect("a key");
    for (mode, same) in [
        (Mode::Exclusive, HeldMode::Exclusive),
        (Mode::Shared, HeldMode::Shared),
        (Mode::Update, HeldMode::Update),
    ] {
        let held = request(one).mode(mode).lock().await.expect("a free key");
        assert_eq!(held.mode(), same);
        let beside = request(other).shared().try_lock().await.expect("an answer");
        assert_eq!(beside.is_some(), mode != Mode::Exclusive);
        drop(beside);
        held.release().await.expect("a held key");
        let held = request(one).alone().mode(mode).lock().await.expect("a free key");
        assert_eq!(held.mode(), same);
        held.release().await.expect("a held key");
    }
    let held = request(one).mode(Mode::Update).lock().await.expect("a free key");
    let (held, upgraded) = held.upgrade(Wait::Forever).await.expect("an answer");
    assert!(upgraded);
    held.release().await.expect("a held key");
    let held = request(one).alone().update().lock().await.expect("a free key");
    held.release().await.expect("a held key");
}

/// Never run: it compiles, or the names are not what they are said to be.
#[allow(dead_code)]
async fn names(config: Config, boxed: Box<Tcp>) -> Result<(), Box<dyn std::error::Error>> {
    let pooled = Lock::new(Pooled(boxed), Key::hashed("a"))?.shared();
    pooled.lock_owned_within(Duration::from_secs(1)).await?.release().await?;
    let builder: LocksBuilder = Locks::builder(config);
    let locks: Locks = layer::settings(builder).connect().await?;
    let request: Request = locks.key("a")?;
    let alone: Alone = request.alone();
    let mut held: HeldAlone = alone.lock().await?;
    held.session().simple_query("SELECT 1").await?.into_row().await?;
    let all: All = locks.all(["a", "b"])?;
    let _: Held = all.lock().await?;
    let semaphore: Semaphore = locks.semaphore("s", 3)?;
    let _: Option<Permit> = semaphore.try_acquire().await?;
    let _: Vec<Holder> = locks.holder("a").await?;
    let led = locks.lead("l", async |_: Term| std::ops::ControlFlow::Break(()));
    let led: Result<(), LocksError> = led.await;
    Ok(led?)
}
