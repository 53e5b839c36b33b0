use crate::server::{self, config, take};
use crate::{builder, fresh, in_time, locks, pair};
use dlock_locks::{Error, Mode, Severity};
use dlock_mssql::tiberius::AuthMethod;
use dlock_mssql::{Locks, ServerError};

pub(crate) async fn holders_and_waiters() {
    let key = fresh("who");
    let one = builder(config().await).name("dlock who").build().expect("a thread");
    let other = locks().await;
    let held = in_time(one.key(&key).expect("a key").shared().lock()).await.expect("a lock");
    let waits = tokio::spawn({
        let (other, key) = (other.clone(), key.clone());
        async move { other.lock(&key).await }
    });
    // Between two slices it does not wait.
    let seen = in_time(async {
        loop {
            let found = one.holder(&key).await.expect("an answer");
            if found.iter().any(|holder| holder.is_waiting) {
                break found;
            }
        }
    });
    let mut found = seen.await;
    found.sort_by_key(|holder| holder.is_waiting);
    let [holder, waiter] = &found[..] else { panic!("{found:?}") };
    assert_eq!((holder.key.as_str(), holder.mode, holder.is_waiting), (&*key, Mode::Shared, false));
    assert_eq!(holder.application.as_deref(), Some("dlock who"));
    assert!(holder.user.is_some() && holder.since.is_some(), "{holder:?}");
    assert_eq!((waiter.mode, waiter.is_waiting), (Mode::Exclusive, true));
    assert_ne!(holder.session, waiter.session);
    let all = in_time(other.holders()).await.expect("an answer");
    assert!(found.iter().all(|one| all.iter().any(|it| it.session == one.session)), "{all:?}");
    drop(held);
    drop(in_time(waits).await.expect("no panic").expect("a lock"));
}

/// The server shows the first 32 characters of a name.
pub(crate) async fn names_that_begin_alike() {
    let [one, other] = pair().await;
    let start = format!("{:-<40}", fresh("alike"));
    let [a, b, free] = ["a", "b", "free"].map(|end| format!("{start}{end}"));
    let first = in_time(one.lock(&a)).await.expect("a lock");
    let found = in_time(other.holder(&a)).await.expect("an answer");
    assert!(matches!(&found[..], [holder] if holder.key.as_str() == a), "{found:?}");
    assert_eq!(in_time(other.holder(&free)).await.expect("an answer"), []);
    assert_eq!(in_time(other.free(&free)).await.expect("an answer"), []);
    let second = in_time(other.lock(&b)).await.expect("a lock");
    for refused in [in_time(other.holder(&a)).await, in_time(one.free(&b)).await] {
        let Err(Error::Statement { source }) = refused else { panic!("{refused:?}") };
        assert!(matches!(&*source, ServerError::Ambiguous), "{source:?}");
    }
    assert!(!first.is_lost() && !second.is_lost());
}

pub(crate) async fn a_key_is_freed() {
    let ([one, other], [key, neighbour]) = (pair().await, [fresh("free"), fresh("free")]);
    let held = in_time(one.lock(&key)).await.expect("a lock");
    let beside = in_time(one.lock(&neighbour)).await.expect("a lock");
    let mut by_hand = server::connect(&config().await).await;
    take(&mut by_hand, &fresh("free"), "Exclusive").await;
    let ended = in_time(other.free(&key)).await.expect("an answer");
    let keys = Vec::from_iter(ended.iter().map(|holder| holder.key.as_str()));
    assert!(keys.len() == 2 && keys.contains(&&*key) && keys.contains(&&*neighbour), "{keys:?}");
    in_time(held.lost()).await;
    in_time(beside.lost()).await;
    assert!(in_time(other.try_lock(&key)).await.expect("an answer").is_some());
    assert_eq!(in_time(other.free(&key)).await.expect("an answer"), []);
    server::run(&mut by_hand, "SELECT 1").await;
}

pub(crate) async fn a_check_finds_nothing() {
    let found = in_time(locks().await.check()).await.expect("an answer");
    let worse = found.iter().filter(|finding| finding.severity > Severity::Note);
    assert_eq!(worse.count(), 0, "{found:?}");
}

/// Locks of a login that may not look at others.
async fn plain() -> Locks {
    let mut config = config().await;
    config.authentication(AuthMethod::sql_server("plain", "s3cret"));
    config.database("master");
    builder(config).build().expect("a thread")
}

pub(crate) async fn what_may_not_be_seen_is_said() {
    let locks = plain().await;
    let held = in_time(locks.lock("k")).await.expect("a lock");
    for refused in [in_time(locks.holders()).await, in_time(locks.holder("k")).await] {
        let Err(Error::Setup { advice, .. }) = refused else { panic!("{refused:?}") };
        assert!(advice.contains("VIEW SERVER STATE"), "{advice}");
    }
    in_time(held.release()).await.expect("a release");
}

pub(crate) async fn a_check_tells_what_is_missing() {
    let found = in_time(plain().await.check()).await.expect("an answer");
    let names = Vec::from_iter(found.iter().map(|finding| finding.name));
    assert_eq!(names, ["system-database", "no-view-server-state", "no-kill"], "{found:?}");
    for finding in found {
        assert!(finding.what.ends_with('.') && finding.why.ends_with('.'), "{finding}");
    }
}
