//! Code that is generic over the database, and names nothing but the umbrella.

use dlock_db::{
    ByMut, ByRef, Error, Lend, Lock, Over, RawLock, RawUnlock, Session, SessionRef, Wait,
};

/// Any session that a lock may be made over.
fn over<D, S, K>(session: S, key: K) -> S::Lock
where
    S: Session<D, Lock: Over<S, Key = K>>,
{
    S::Lock::over(session, key)
}

/// What the constructor for every session returns.
type Made<S, D> =
    Result<<S as Session<D>>::Lock, Error<<<S as Session<D>>::Lock as Over<S>>::Error>>;

fn made<D, S>(session: S) -> Made<S, D>
where
    S: Session<D, Lock: Over<S, Key: for<'k> From<&'k str>>>,
{
    dlock_db::lock(session, "generic")
}

/// A lock whose session is lent by `&mut`, or by `&`.
async fn by_mut<R>(lock: &mut Lock<R>) -> Result<bool, Error<R::Error>>
where
    R: RawUnlock<Lend = ByMut, Session: 'static>,
{
    let ran = lock.with(Wait::No, async |_: &mut R::Session| true).await;
    ran.map_err(Error::from)
}

async fn by_ref<R>(lock: &mut Lock<R>) -> Result<bool, Error<R::Error>>
where
    R: RawUnlock<Lend = ByRef, Session: 'static>,
{
    let ran = lock.with(Wait::No, async |_: &R::Session| true).await;
    ran.map_err(Error::from)
}

/// What a lock lends, by the longer name of it.
fn lent<R: RawLock>(lock: &mut Lock<R>) -> Option<<R::Lend as Lend>::Of<'_, R::Session>> {
    let lent: Option<SessionRef<'_, R>> = lock.session();
    lent
}

#[cfg(feature = "memory")]
#[tokio::test]
async fn on_memory() -> Result<(), dlock_db::memory::Error> {
    let database = dlock_db::memory::Database::new();
    let (one, other) = (database.session(), database.session());
    let mut lock = over(&one, dlock_db::memory::Key::from("generic"));
    assert!(by_ref(&mut lock).await?);
    let mut lock = made(other)?;
    assert!(lock.acquire(Wait::No).await?);
    assert!(lent(&mut lock).is_some());
    lock.release().await
}

#[cfg(feature = "mysql")]
#[allow(dead_code)]
async fn on_mysql(
    conn: dlock_db::mysql::mysql_async::Conn,
) -> Result<bool, dlock_db::mysql::Error> {
    by_mut(&mut dlock_db::lock(conn, "generic")?).await
}
