use super::{bounded, client, fresh, lock, until};
use crate::server::{Tcp, integer, run, take};
use dlock_core::{Error, Wait};
use dlock_mssql::{Lock, Mode};
use dlock_testkit::polled::polled;

const NAME: &str = "SELECT DB_NAME()";

/// The name of the session's database.
async fn database(client: &mut Tcp) -> String {
    let row = client.simple_query(NAME).await.unwrap().into_row().await.unwrap().unwrap();
    row.get::<&str, _>(0).unwrap().to_owned()
}

/// How the session holds the key in the database that it is in.
async fn mode(client: &mut Tcp, key: &str) -> String {
    let sql = format!("SELECT APPLOCK_MODE('public', N'{key}', 'Session')");
    let row = client.simple_query(sql).await.unwrap().into_row().await.unwrap().unwrap();
    row.get::<&str, _>(0).unwrap().to_owned()
}

#[tokio::test]
async fn a_release_in_another_database_releases_what_was_acquired() {
    bounded(async {
        let (key, mut observer) = (fresh("use-release"), client().await);
        for upgrades in [false, true] {
            let mut one = lock(&key).await.update();
            one.acquire(Wait::No).await.unwrap();
            assert!(!upgrades || one.upgrade(Wait::No).await.unwrap());
            run(one.session().unwrap(), "USE tempdb").await;
            take(one.session().unwrap(), &key, "Exclusive").await;
            one.release().await.unwrap();
            until(&mut observer, &key, (0, 0)).await;
            let session = one.session().unwrap();
            assert_eq!(mode(session, &key).await, "Exclusive", "the caller's own is not touched");
            assert_eq!(database(session).await, "tempdb");
        }
    })
    .await;
}

#[tokio::test]
async fn a_guard_dropped_in_another_database_releases_what_was_acquired() {
    bounded(async {
        let (key, mut observer) = (fresh("use-drop"), client().await);
        let mut one = lock(&key).await;
        let mut guard = one.lock().await.unwrap();
        run(guard.session(), "USE tempdb").await;
        take(guard.session(), &key, "Exclusive").await;
        drop(guard);
        until(&mut observer, &key, (0, 0)).await;
        one.close().await.unwrap();
        assert_eq!(mode(one.session().unwrap(), &key).await, "Exclusive");
    })
    .await;
}

#[tokio::test]
async fn so_does_one_of_a_lent_client() {
    bounded(async {
        let (key, mut observer) = (fresh("use-lent"), client().await);
        let mut owner = client().await;
        let mut one = Lock::new(&mut owner, key.as_str()).unwrap();
        let mut guard = one.lock().await.unwrap();
        run(guard.session(), "USE tempdb").await;
        drop(guard);
        drop(one);
        until(&mut observer, &key, (0, 0)).await;
        assert_eq!(integer(&mut owner, "SELECT 77").await, 77);
    })
    .await;
}

#[tokio::test]
async fn what_was_released_by_hand_is_lost_in_every_database() {
    bounded(async {
        let key = fresh("use-lost");
        let mut one = lock(&key).await;
        one.acquire(Wait::No).await.unwrap();
        let session = one.session().unwrap();
        run(session, &format!("EXEC sp_releaseapplock N'{key}', 'Session'")).await;
        run(session, "USE tempdb").await;
        assert!(matches!(one.release().await, Err(Error::Lost(_))));
        assert!(one.session().is_some() && !one.is_locked());
    })
    .await;
}

/// It was refused, or never sent: what was acquired before is released where that was.
#[tokio::test]
async fn an_upgrade_in_another_database_that_is_dropped() {
    bounded(async {
        let (key, mut observer) = (fresh("use-dropped"), client().await);
        for polls in 1..8 {
            let mut one = lock(&key).await.update();
            one.acquire(Wait::No).await.unwrap();
            run(one.session().unwrap(), "USE tempdb").await;
            if polled(one.upgrade(Wait::No), polls).await.is_none() {
                one.close().await.unwrap();
                until(&mut observer, &key, (0, 0)).await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_upgrade_in_another_database_is_refused_and_nothing_is_lost() {
    bounded(async {
        let (key, mut observer) = (fresh("use-upgrade"), client().await);
        let mut one = lock(&key).await.update();
        one.acquire(Wait::No).await.unwrap();
        let home = database(one.session().unwrap()).await;
        run(one.session().unwrap(), "USE tempdb").await;
        let answer = one.upgrade(Wait::No).await;
        let Err(Error::Refused { meaning, .. }) = answer else { panic!("{answer:?}") };
        assert!(meaning.contains("database"), "{meaning}");
        assert!(one.is_locked() && one.mode() == Mode::Update);
        run(one.session().unwrap(), &format!("USE {home}")).await;
        assert!(one.upgrade(Wait::No).await.unwrap());
        one.release().await.unwrap();
        until(&mut observer, &key, (0, 0)).await;
    })
    .await;
}
