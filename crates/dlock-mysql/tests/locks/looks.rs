//! Who holds, who waits, whose session is ended, and what is found wrong.

use crate::locks;
use crate::server::{Flavour, conn, holder, opts, until_awaited, until_free, until_sleeping};
use dlock_core::Wait;
use dlock_locks::{Error, Finding, LostReason, Severity};
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use dlock_mysql::{Lock, Locks};
use dlock_testkit::cases::fresh_key;
use dlock_testkit::server::{Mysql, Server, Setting};
use std::error::Error as _;
use std::time::{Duration, Instant};

/// A server of its own, and how to connect to it.
pub(crate) fn own<E: Flavour>(settings: &[Setting<'_>]) -> (Server<E>, OptsBuilder) {
    let server = Server::<E>::start(settings).expect("a server");
    let opts = OptsBuilder::from_opts(Opts::from_url(server.url()).expect("a URL"));
    (server, opts)
}

/// All holders, with what their sessions say of themselves; on MySQL who waits, too.
pub(crate) async fn holders<E: Flavour>() {
    let plugin = [("plugin-load-add", "metadata_lock_info")];
    let (_server, opts) = own::<E>(if E::IS_MARIADB { &plugin } else { &[] });
    let billing = Locks::builder(opts.clone()).name("billing").build().expect("a thread");
    let held = billing.lock("Invoice").await.expect("a lock");
    let mut lock =
        Lock::new(Conn::new(opts.clone()).await.expect("a connection"), "by hand").expect("a key");
    assert!(lock.acquire(Wait::No).await.expect("an answer"));
    let number = lock.session().expect("a session").id().to_string();
    let mut observer = Conn::new(opts.clone()).await.expect("a connection");
    let (other, waits) = (locks(opts.clone()), locks(opts.clone()));
    let waits = tokio::spawn(async move { waits.lock("Invoice").await.map(drop) });
    until_awaited(&mut observer, "Invoice").await;
    let all = other.holders().await.expect("holders");
    let holding: Vec<_> = all.iter().filter(|it| !it.is_waiting).collect();
    assert_eq!(holding.len(), 2, "{all:?}");
    let by_hand = holding.iter().find(|it| it.key.as_str() == "by hand").expect("a holder");
    assert_eq!((&by_hand.session, by_hand.user.as_deref()), (&number, Some("dlock")));
    assert!(by_hand.host.as_deref().is_some_and(|host| host.starts_with("127.0.0.1")));
    assert!(by_hand.since.is_some_and(|since| since < Duration::from_secs(60)), "{by_hand:?}");
    // MySQL tells names in lower case, and this process knows the key by another.
    let of_key = other.holder("Invoice").await.expect("holders");
    assert!(of_key.iter().all(|it| it.key.as_str() == "Invoice"));
    assert_eq!(of_key.iter().filter(|it| !it.is_waiting).count(), 1);
    if !E::IS_MARIADB {
        let holder = of_key.iter().find(|it| !it.is_waiting).expect("a holder");
        assert_eq!(holder.application.as_deref(), Some("billing"), "{of_key:?}");
        // Between two slices it is not in the queue.
        while !other.holder("Invoice").await.expect("holders").iter().any(|it| it.is_waiting) {}
    }
    assert!(other.holder("nobody's").await.expect("holders").is_empty());
    held.release().await.expect("a release");
    waits.await.expect("no panic").expect("a lock");
}

/// A name of another spelling is the same to the server.
pub(crate) async fn twins() {
    let (locks, key) = (locks(opts::<Mysql>()), fresh_key("É looks"));
    let _held = locks.lock(&key).await.expect("a lock");
    let twin = key.replace('É', "é");
    let of_twin = locks.holder(&twin).await.expect("holders");
    assert_eq!(of_twin.len(), 1);
    assert_eq!(of_twin[0].key.as_str(), twin);
}

async fn plain<E: Flavour>(admin: &mut Conn) -> OptsBuilder {
    let user = fresh_key("").replace('-', "_");
    let user = format!("p{}", &user[..user.len().min(30)]);
    admin.query_drop(format!("CREATE USER {user}@'%'")).await.expect("a user");
    opts::<E>().user(Some(user)).db_name(None::<String>)
}

/// Who may see nothing is told the session of the key's holder, and of all keys that he may not; he may not
/// end the sessions of others, and may his own.
pub(crate) async fn plain_user<E: Flavour>() {
    let (key, mut admin) = (fresh_key("plain"), conn::<E>().await);
    let plain = locks(plain::<E>(&mut admin).await);
    let holding = locks(opts::<E>());
    let held = holding.lock(&key).await.expect("a lock");
    let id = holder(&mut admin, &key).await.expect("a holder");
    let of_key = plain.holder(&key).await.expect("holders");
    assert_eq!(of_key.len(), 1);
    assert_eq!((of_key[0].session.clone(), &of_key[0].user), (id.to_string(), &None));
    let error = plain.holders().await.expect_err("it is not for everybody");
    let source = error.source().expect("the driver's error").to_string();
    assert!(source.contains("performance_schema") || source.contains("plugin"), "{source}");
    let error = plain.free(&key).await.expect_err("it is not for everybody");
    let source = error.source().expect("the driver's error").to_string();
    assert!(source.contains("CONNECTION"), "{source}");
    assert!(!held.is_lost());
    held.release().await.expect("a release");
    let own = plain.lock(&key).await.expect("a lock");
    assert_eq!(plain.free(&key).await.expect("an end").len(), 1);
    assert_eq!(own.lost().await.reason(), LostReason::SessionEnded);
    let found = plain.check().await.expect("a check-up");
    let names: Vec<_> = found.iter().map(|finding| finding.name).collect();
    assert_eq!(names, ["cannot-end-others", "cannot-look"], "{found:?}");
}

/// The holder's session is ended, whatever it runs, and the key is free when that is said.
pub(crate) async fn freed<E: Flavour>() {
    let (key, mut observer) = (fresh_key("freed"), conn::<E>().await);
    let locks = locks(opts::<E>());
    assert!(locks.free(&key).await.expect("an answer").is_empty());
    let mut lock = Lock::new(conn::<E>().await, key.as_str()).expect("a key");
    let mut guard = lock.lock().await.expect("a lock");
    let id = guard.session().id();
    let runs = guard.session().query_drop("SELECT SLEEP(60)");
    let (begun, freed) = (Instant::now(), async {
        until_sleeping(&mut observer, id).await;
        let freed = locks.free(&key).await.expect("an end");
        assert_eq!(holder(&mut conn::<E>().await, &key).await, None);
        freed
    });
    let (ran, freed) = tokio::join!(runs, freed);
    assert!(freed.iter().any(|it| it.key.as_str() == key && it.session == id.to_string()));
    assert!(begun.elapsed() < Duration::from_secs(20));
    drop(ran);
    until_free(&mut conn::<E>().await, &key).await;
}

fn names(found: &[Finding]) -> Vec<(&'static str, Severity)> {
    found.iter().map(|finding| (finding.name, finding.severity)).collect()
}

/// A plain server has nothing that lies; a replica's setting, and a missing list, are told.
pub(crate) async fn checked<E: Flavour>() {
    let list = [("plugin-load-add", "metadata_lock_info")];
    let (_server, opts) = own::<E>(if E::IS_MARIADB { &list } else { &[] });
    let checks = locks(opts.clone());
    assert_eq!(checks.check().await.expect("a check-up"), []);
    let mut admin = Conn::new(opts.clone()).await.expect("a connection");
    admin.query_drop("SET GLOBAL read_only=1").await.expect("a setting");
    let found = checks.check().await.expect("a check-up");
    assert_eq!(names(&found), [("read-only", Severity::Warning)], "{found:?}");
    // It excludes all the same.
    let _held = checks.lock("k").await.expect("a lock");
    assert!(locks(opts).try_lock("k").await.expect("an answer").is_none());
    let (_server, opts) = own::<E>(&[("performance_schema", "OFF")]);
    let blind = locks(opts);
    let held = blind.lock("k").await.expect("a lock");
    assert!(held.trusted_for().is_some());
    let found = blind.check().await.expect("a check-up");
    assert_eq!(names(&found), [("cannot-look", Severity::Note)], "{found:?}");
    assert_eq!(blind.holder("k").await.expect("holders").len(), 1);
}

/// A session of its own, lent: it ends with the lock, and with whatever runs on it.
pub(crate) async fn alone<E: Flavour>() {
    let (key, mut observer) = (fresh_key("alone"), conn::<E>().await);
    let locks = locks(opts::<E>());
    let request = locks.key(&key).expect("a key").alone();
    let mut held = request.lock().await.expect("a lock");
    let id = held.session().id();
    assert_eq!(holder(&mut observer, &key).await, Some(id.into()));
    assert!(request.try_lock().await.expect("an answer").is_none());
    let limit = Duration::from_millis(100);
    assert!(matches!(request.lock_within(limit).await, Err(Error::TimedOut { .. })));
    assert!(locks.try_lock(&key).await.expect("an answer").is_none());
    held.release().await.expect("a release");
    until_free(&mut observer, &key).await;
    let mut held = request.lock().await.expect("a lock");
    let id = held.session().id();
    tokio::select! {
        answer = held.session().query_drop("SELECT SLEEP(60)") => panic!("{answer:?}"),
        () = until_sleeping(&mut observer, id) => {}
    }
    held.abort().await.expect("an end");
    assert_eq!(holder(&mut observer, &key).await, None);
}
