//! Locks on whatever server a URL names.

use crate::layer;
use dlock_db::{
    AnyConnection, AnyError, AnyKey, AnyLocks, AnyServer, Held, LocksError, Mode, Wait,
};
use dlock_testkit::server::{MySql, Postgres};

async fn three(url: &str) -> [AnyLocks; 3] {
    let connect = || layer::connected::<AnyServer>(url);
    [connect().await, connect().await, connect().await]
}

#[tokio::test]
async fn postgres() {
    let server = Postgres::shared().expect("a PostgreSQL server");
    let locks = three(server.url()).await;
    let [one, other, _] = &locks;
    layer::shares(one, other, "any:shares").await;
    layer::alone(one, other, "any:alone").await;
    layer::shares_alone(one, other, "any:alone").await;
    layer::conflicts(one, "any:conflicts").await;
    conflicts(one).await;
    let held = layer::fences(one, "any:fences").await;
    held.release().await.expect("a held key");
    layer::every(locks, "any", true).await;
}

/// A mode of whatever kind never takes a fence away.
async fn conflicts(locks: &AnyLocks) {
    let request = || locks.key("any:conflicts").expect("a key");
    for request in [
        request().fenced().update(),
        request().update().fenced(),
        request().fenced().mode(Mode::Shared),
        request().mode(Mode::SubShared).fenced(),
    ] {
        let told = request.lock().await.map(drop);
        assert!(matches!(told, Err(LocksError::Conflict { .. })), "{told:?}");
    }
    locks.setup().await.expect("two tables");
    for request in
        [request().fenced().mode(Mode::Exclusive), request().mode(Mode::Exclusive).fenced()]
    {
        let held = request.lock().await.expect("a free key");
        assert!(held.token().is_some());
        held.release().await.expect("a held key");
    }
    let held = request().alone().mode(Mode::Shared).lock().await.expect("a free key");
    assert_eq!(held.mode(), Mode::Shared);
    held.release().await.expect("a held key");
}

#[tokio::test]
async fn mysql() {
    let server = MySql::shared().expect("a MySQL server");
    let locks = three(server.url()).await;
    let [one, other, _] = &locks;
    layer::alone(one, other, "any:alone").await;
    let held = layer::fences(one, "any:fences").await;
    held.release().await.expect("a held key");
    let shared = one.key("any:shared").expect("a key").shared().try_lock().await;
    let Err(LocksError::Driver { source, .. }) = shared else { panic!("{shared:?}") };
    assert!(matches!(*source, AnyError::Unsupported { .. }), "{source}");
    layer::every(locks, "any", true).await;
}

/// The session is lent as what it is.
#[tokio::test]
async fn a_session_is_the_native_one() {
    let server = Postgres::shared().expect("a PostgreSQL server");
    let locks = AnyLocks::connect(server.url()).await.expect("a server that answers");
    let alone = locks.key("any:native").expect("a key").alone();
    let mut held = alone.lock().await.expect("a free key");
    let AnyConnection::Postgres(client) = held.session() else { panic!("a PostgreSQL session") };
    let transaction = client.transaction().await.expect("a transaction");
    transaction.commit().await.expect("its end");
    held.release().await.expect("a held key");
    let answer = alone.with(Wait::No, async |session: AnyConnection<'_>| match session {
        AnyConnection::Postgres(client) => client.query_one("SELECT 7", &[]).await.unwrap().get(0),
        _ => 0,
    });
    assert_eq!(answer.await.expect("a free key"), 7_i32);
}

#[allow(dead_code)]
async fn builder(url: &str) -> Result<Held<AnyServer>, Box<dyn std::error::Error>> {
    let locks = AnyLocks::builder_from_url(url)?.name("billing").connect().await?;
    Ok(locks.lock(AnyKey::hashed("a long name")).await?)
}
