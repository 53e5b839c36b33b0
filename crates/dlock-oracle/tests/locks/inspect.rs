//! Who holds, who waits, ending their sessions, and the check-up.

use crate::bench::{Bench, LEASE};
use dlock_core::Wait;
use dlock_locks::{Error, Finding, LostReason};
use dlock_oracle::{Key, Lock, Locks, Mode};
use oracle::Connector;
use std::error::Error as _;
use std::time::Duration;

pub(crate) async fn holders() {
    let bench = Bench::new("holders");
    let [one, other] = [bench.locks(), bench.locks()];
    let held = one.key("holders k").unwrap().shared().lock().await.unwrap();
    let waits = tokio::spawn(async move { other.lock("holders k").await.map(drop) });
    bench.until("holders k", (1, 1)).await;
    let seen = one.holder("holders k").await.unwrap();
    let states = Vec::from_iter(seen.iter().map(|it| (it.mode, it.is_waiting)));
    let expected = [(dlock_locks::Mode::Shared, false), (dlock_locks::Mode::Exclusive, true)];
    assert_eq!(states, expected, "{seen:?}");
    let (user, _) = bench.place.credentials();
    for it in &seen {
        assert!(it.key.to_string().starts_with("holders k ("), "{it:?}");
        assert!(it.user.as_ref().is_some_and(|it| it.eq_ignore_ascii_case(user)), "{it:?}");
        assert!(it.application.as_deref() == Some("dlock holders") && it.host.is_some(), "{it:?}");
        assert!(it.since < Some(Duration::from_secs(5)), "{it:?}");
    }
    assert!(one.holder("holders nobody's").await.unwrap().is_empty());
    held.release().await.unwrap();
    waits.await.unwrap().unwrap();
}

/// What is not of this library is there too: what waits to convert what it holds, and what
/// `ALLOCATE_UNIQUE` gave out.
pub(crate) async fn of_others() {
    let bench = Bench::new("holders of others");
    let locks = bench.locks();
    let text = "declare handle varchar2(128); answer integer; begin
        sys.dbms_lock.allocate_unique('dlock inspect', handle);
        answer := sys.dbms_lock.request(handle, 4); end;";
    let theirs = bench.place.connect();
    theirs.execute(text, &[]).unwrap();
    let all = locks.holders().await.unwrap();
    let named = all.iter().find(|it| it.key.id() > 1_073_741_823).expect("what was allocated");
    assert_eq!(named.key.to_string(), named.key.id().to_string());
    assert!(matches!(locks.lock(named.key.clone()).await, Err(Error::Key(_))));
    let held = locks.key("of others k").unwrap().mode(Mode::S).lock().await.unwrap();
    let mut reader = Lock::new(bench.place.connect(), "of others k").unwrap().shared();
    assert!(reader.acquire(Wait::No).await.unwrap());
    let converts = tokio::spawn(held.convert(Mode::X, Wait::Forever));
    bench.until("of others k", (2, 1)).await;
    let seen = locks.holder("of others k").await.unwrap();
    let waiting = seen.iter().find(|it| it.is_waiting).expect("what converts");
    assert_eq!(seen.len(), 3);
    assert_eq!(seen.iter().filter(|it| it.session == waiting.session).count(), 2);
    reader.release().await.unwrap();
    converts.await.unwrap().unwrap().0.release().await.unwrap();
}

/// All that the session has ends with it, and its holders are told.
pub(crate) async fn free() {
    let bench = Bench::new("free");
    let [one, other] = [bench.locks(), bench.locks()];
    let (held, beside) =
        (one.lock("free k").await.unwrap(), one.lock("free beside").await.unwrap());
    let mut freed = other.free("free k").await.unwrap();
    freed.sort_by_key(|it| it.key.to_string());
    let [first, second] = freed.as_slice() else { panic!("{freed:?}") };
    assert_eq!((&first.key, &second.key), (&Key::from("free beside"), &Key::from("free k")));
    assert_eq!((bench.seen("free k"), bench.seen("free beside")), ((0, 0), (0, 0)));
    other.lock("free k").await.unwrap().release().await.unwrap();
    let lost = tokio::time::timeout(LEASE, async { (held.lost().await, beside.lost().await) });
    let (held, beside) = lost.await.expect("told");
    assert_eq!((held.reason(), beside.reason()), (LostReason::SessionEnded, held.reason()));
    assert!(other.free("free nobody's").await.unwrap().is_empty());
}

fn names(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.name).collect()
}

pub(crate) async fn check() {
    let bench = Bench::new("check");
    let locks = bench.locks();
    let found = locks.check().await.unwrap();
    let faults = found.iter().filter(|it| it.severity == dlock_locks::Severity::Fault);
    assert_eq!(faults.count(), 0, "{found:?}");
}

pub(crate) async fn check_finds() {
    let bench = Bench::new("check finds");
    let locks = |user| Locks::builder(Connector::new(user, "tiger", &*bench.place.database));
    let scott = locks("scott").build().unwrap();
    assert!(scott.check().await.unwrap().is_empty());
    let plain = locks("noviews").build().unwrap();
    let found = plain.check().await.unwrap();
    assert_eq!(names(&found), ["cannot-look", "cannot-end-others"]);
    assert!(found.iter().all(|it| it.severity == dlock_locks::Severity::Note));
    plain.lock("check finds k").await.unwrap().release().await.unwrap();
    let refused = plain.holders().await.unwrap_err();
    let why = refused.source().unwrap().to_string();
    assert!(why.contains("GRANT SELECT ON SYS.GV_$LOCK"), "{why}");
    let found = locks("nogrant").build().unwrap().check().await.unwrap();
    assert_eq!(names(&found), ["no-grant"]);
    assert!(found[0].to_string().contains("GRANT EXECUTE ON SYS.DBMS_LOCK"), "{}", found[0]);
    bench.run("alter system set \"_standin_clock\" = '90'");
    bench.run("alter system set \"_standin_cluster\" = 'true'");
    let found = scott.check().await.unwrap();
    assert_eq!(names(&found), ["cluster", "clock"]);
    assert!(found[1].what.contains(" 90") || found[1].what.contains(" 89"), "{}", found[1].what);
    bench.run("alter system set \"_standin_role\" = 'PHYSICAL STANDBY'");
    assert_eq!(names(&scott.check().await.unwrap()), ["standby"]);
}
