//! Oracle: it compiles, or the names are not what they are said to be.

use crate::{is_send_and_static, layer};
use dlock_db::oracle::oracle::pool::Pool;
use dlock_db::oracle::oracle::{Connection, Connector};
use dlock_db::oracle::{
    All, Alone, Error, Guard, Held, HeldAlone, HeldMode, Holder, Key, Lock, Locks, LocksBuilder,
    LocksError, Mode, OwnedGuard, Permit, Request, Semaphore, Server, Term,
};
use dlock_db::{InspectDriver, ModesDriver, SharedDriver, UrlDriver, Wait, lock};
use std::sync::Arc;
use std::time::Duration;

fn has_all<D: InspectDriver + ModesDriver + SharedDriver + UrlDriver>() {}

#[test]
fn what_it_has() {
    has_all::<Server>();
    let modes = [Mode::NL, Mode::SS, Mode::SX, Mode::S, Mode::SSX, Mode::X];
    let held = modes.map(HeldMode::from);
    assert_eq!((held[3], held[5]), (HeldMode::Shared, HeldMode::Exclusive));
    assert_eq!(Mode::default(), Mode::X);
}

#[allow(dead_code)]
async fn a_lock(connection: Connection, shared: Arc<Connection>) -> Result<(), Error> {
    let mut user: Lock = Lock::new(connection, 42)?.with_mode(Mode::SX).release_on_commit();
    let mut guard: Guard<'_> = user.lock().await?;
    let _: &Connection = guard.session();
    let (guard, converted) = guard.convert(Mode::X, Wait::No).await?;
    assert!(converted);
    guard.release().await?;
    assert!(user.acquire(Wait::No).await? && user.convert(Mode::S, None).await?);
    user.close().await?;
    user.with(Wait::Forever, async |connection: &Connection| connection.ping()).await?.unwrap();
    let guard: OwnedGuard = is_send_and_static(user.try_lock_owned()).await?;
    guard.abort().await?;
    let mut by_arc: Lock<Arc<Connection>> = lock(shared, "shared")?.shared();
    let guard = by_arc.lock_within(Duration::from_secs(1)).await?;
    guard.abort().await
}

#[allow(dead_code)]
async fn locks(connector: Connector, pool: Pool) -> Result<(), Box<dyn std::error::Error>> {
    let builder: LocksBuilder = Locks::builder(pool);
    drop(builder.build()?);
    let locks: Locks = layer::settings(Locks::builder(connector)).connect().await?;
    let request: Request = locks.key(Key::from("a"))?.mode(Mode::SX);
    let held: Held = request.lock().await?;
    let (held, _) = held.convert(Mode::X, Duration::from_secs(1)).await?;
    held.release().await?;
    let alone: Alone = locks.key("a")?.shared().alone();
    let mut held: HeldAlone = alone.lock().await?;
    let _: &Connection = held.session();
    held.abort().await?;
    let all: All = locks.all(["a", "b"])?;
    let _: Held = all.shared().lock().await?;
    let semaphore: Semaphore = locks.semaphore("s", 3)?;
    let _: Option<Permit> = semaphore.try_acquire().await?;
    let _: Vec<Holder> = locks.holder("a").await?;
    let led = locks.lead("l", async |_: Term| std::ops::ControlFlow::Break(()));
    let led: Result<(), LocksError> = led.await;
    Ok(led?)
}
