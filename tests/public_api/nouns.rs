//! The same nouns in every driver, and futures that may be spawned.

#[cfg(feature = "postgres")]
mod postgres {
    use dlock_db::postgres::tokio_postgres::Client;
    use dlock_db::postgres::{Error, Guard, Key, Lock, Mode, OwnedGuard, Session, XactLock};
    use dlock_db::{Wait, lock};
    use std::sync::Arc;
    use std::time::Duration;

    fn is_send<T: Send>(value: T) -> T {
        value
    }

    fn is_static<T: 'static>() {}

    /// Never run: it compiles, or the promise is broken.
    #[allow(dead_code)]
    async fn futures_are_send(client: &Client, owned: Client, shared: Arc<Client>, both: Session) {
        let mut on_ref = Lock::new(client, "key").unwrap();
        is_send(on_ref.acquire(Wait::Forever)).await.unwrap();
        is_send(on_ref.release()).await.unwrap();
        is_send(on_ref.close()).await.unwrap();
        is_send(on_ref.with(Wait::No, async |client| client.simple_query("").await))
            .await
            .unwrap()
            .unwrap();
        let guard: Guard<'_, &Client> = is_send(on_ref.lock()).await.unwrap();
        is_send(guard.release()).await.unwrap();
        drop(is_send(lock(owned, 42).unwrap().lock_owned()).await.unwrap());
        drop(is_send(lock(both, (1, 2)).unwrap().try_lock_owned()).await.unwrap());
        let arc = Lock::new(shared, vec![1, 2]).unwrap();
        let guard = is_send(arc.lock_owned_within(Duration::from_secs(1))).await.unwrap();
        let lock: Lock<Arc<Client>> = is_send(guard.release()).await.unwrap();
        let _: Arc<Client> = is_send(lock.into_session()).await.unwrap();
    }

    #[allow(dead_code)]
    async fn transactions_too(client: &mut Client) -> Result<(), Error> {
        let transaction = client.transaction().await.map_err(Error::Driver)?;
        let mut by_name: XactLock<'_> = XactLock::new(&transaction, b"key")?.shared();
        is_send(by_name.lock()).await?;
        let mut by_session = lock(&transaction, String::from("key"))?;
        assert!(is_send(by_session.try_lock()).await?);
        assert!(matches!(by_session.mode(), Mode::Exclusive));
        Ok(())
    }

    #[allow(dead_code)]
    fn a_spawned_scope(client: Client) {
        let mut lock = Lock::new(client, Key::hashed("key")).unwrap();
        tokio::spawn(async move {
            let rows = lock.with(Wait::Forever, async |client| client.simple_query("").await);
            rows.await.unwrap().unwrap();
        });
    }

    #[test]
    fn owned_guards_are_static() {
        is_static::<OwnedGuard>();
        is_static::<OwnedGuard<Arc<Client>>>();
        is_static::<OwnedGuard<Session>>();
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use dlock_db::mysql::mysql_async::{Conn, Transaction, prelude::Queryable};
    use dlock_db::mysql::{Error, Guard, Key, Lock, Mode, OwnedGuard};
    use dlock_db::{Wait, lock};

    fn is_send_and_static<T: Send + 'static>(value: T) -> T {
        value
    }

    /// Never run: it compiles, or the promise is broken.
    #[allow(dead_code)]
    async fn futures_are_send(conn: Conn) -> Result<(), Error> {
        let mut named: Lock = Lock::new(conn, Key::hashed("key"))?;
        let guard: Guard<'_> = named.lock().await?;
        assert_eq!(guard.mode(), Mode::Exclusive);
        guard.release().await?;
        let task = is_send_and_static(async move {
            let answer =
                named.with(Wait::No, async |conn| conn.query_first::<u8, _>("SELECT 1").await);
            answer.await.unwrap().unwrap();
            let owned: OwnedGuard = named.try_lock_owned().await.unwrap();
            owned.release().await.unwrap().into_session().await.unwrap()
        });
        let mut conn = tokio::spawn(task).await.unwrap();
        lock(&mut conn, "lent")?.lock().await?.release().await?;
        Ok(())
    }

    #[allow(dead_code)]
    async fn in_a_transaction(transaction: &mut Transaction<'_>) -> Result<(), Error> {
        Lock::new(transaction, 42)?.lock().await?.release().await
    }
}

#[cfg(feature = "mssql")]
mod mssql {
    use dlock_db::mssql::tiberius::Client;
    use dlock_db::mssql::{Error, Guard, Lock, Mode, OwnedGuard, XactLock};
    use dlock_db::{Wait, lock};
    use tokio::net::TcpStream;
    use tokio_util::compat::Compat;

    type Session = Client<Compat<TcpStream>>;

    fn is_send_and_static<T: Send + 'static>(value: T) -> T {
        value
    }

    /// Never run: it compiles, or the promise is broken.
    #[allow(dead_code)]
    async fn futures_are_send(client: Session) -> Result<(), Error> {
        let mut app: Lock<Session> = Lock::new(client, "key")?.update();
        let guard: Guard<'_, Session> = app.lock().await?;
        let (guard, upgraded) = guard.upgrade(Wait::Forever).await?;
        assert!(upgraded && guard.mode() == Mode::Exclusive);
        guard.release().await?;
        let task = is_send_and_static(async move {
            let answer = app.with(Wait::No, async |client| {
                client.simple_query("SELECT 1").await.unwrap().into_row().await
            });
            answer.await.unwrap().unwrap();
            let owned: OwnedGuard<Session> = app.try_lock_owned().await.unwrap();
            owned.release().await.unwrap().into_session().await.unwrap()
        });
        let mut client = tokio::spawn(task).await.unwrap();
        lock(&mut client, "lent")?.shared().lock().await?.release().await?;
        let mut xact = XactLock::new(&mut client, 42)?.shared();
        xact.lock().await
    }
}

#[cfg(feature = "oracle")]
mod oracle {
    use dlock_db::oracle::oracle::Connection;
    use dlock_db::oracle::{Error, Guard, Lock, Mode, OwnedGuard};
    use dlock_db::{Wait, lock};
    use std::sync::Arc;

    fn is_send_and_static<T: Send + 'static>(value: T) -> T {
        value
    }

    /// Never run: it compiles, or the promise is broken.
    #[allow(dead_code)]
    async fn futures_are_send(connection: Connection) -> Result<(), Error> {
        let mut user: Lock<Connection> = Lock::new(connection, 42)?.with_mode(Mode::SX);
        let guard: Guard<'_, Connection> = user.lock().await?;
        let (guard, converted) = guard.convert(Mode::X, Wait::No).await?;
        assert!(converted);
        guard.release().await?;
        let task = is_send_and_static(async move {
            let answer = user.with(Wait::No, async |connection| connection.ping());
            answer.await.unwrap().unwrap();
            let owned: OwnedGuard<Connection> = user.try_lock_owned().await.unwrap();
            owned.release().await.unwrap().into_session().await.unwrap()
        });
        let shared = Arc::new(tokio::spawn(task).await.unwrap());
        let mut lock = lock(shared, "shared")?.shared().release_on_commit();
        lock.lock().await?.release().await
    }
}
