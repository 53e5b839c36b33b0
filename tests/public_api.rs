//! What users may rely on whatever the driver: the same nouns, futures that may be spawned.

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
