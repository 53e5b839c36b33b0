//! `Locks` of any server, by the traits that say what it has.

use crate::{in_time, is_send_and_static};
use dlock_db::{
    All, AloneDriver, CancellationToken, Driver, FencedDriver, Finding, Held, HeldAlone, Holder,
    InspectDriver, KeyError, Locks, LocksBuilder, LocksError, Lost, LostReason, Mode, Permit,
    Request, Semaphore, SharedDriver, Stats, Term, UrlDriver, Wait,
};
use std::ops::ControlFlow;
use std::time::Duration;

/// A driver whose keys may be text.
pub(crate) trait Text: Driver<Key: for<'k> TryFrom<&'k str, Error: Into<KeyError>>> {}

impl<D: Driver<Key: for<'k> TryFrom<&'k str, Error: Into<KeyError>>>> Text for D {}

/// What answers are, by their names.
type Answer<T, D> = Result<T, LocksError<<D as Driver>::Error>>;

pub(crate) fn key<D: Text>(text: &str) -> D::Key {
    let Ok(key) = D::Key::try_from(text) else { panic!("{text} names a lock") };
    key
}

/// A builder takes each setting that there is, and its locks are cheap to clone.
pub(crate) fn settings<D: Driver>(builder: LocksBuilder<D>) -> LocksBuilder<D> {
    builder
        .max_waiting(8)
        .max_keys(1000)
        .lease(Duration::from_secs(10))
        .stay(Duration::from_millis(100))
        .name("contract")
}

pub(crate) async fn connected<D: UrlDriver>(url: &str) -> Locks<D> {
    let builder = settings(Locks::<D>::builder_from_url(url).expect("a URL of this driver's"));
    let _built: Locks<D> = builder.build().expect("a thread; nothing is opened yet");
    Locks::connect(url).await.expect("a server that answers")
}

/// The calls that every server has.
pub(crate) async fn calls<D: Text>(one: &Locks<D>, other: &Locks<D>, name: &str) {
    let held: Held<D> = one.clone().lock(key::<D>(name)).await.expect("a free key");
    let tried: Answer<Option<Held<D>>, D> = other.try_lock(key::<D>(name)).await;
    assert!(tried.expect("an answer").is_none());
    let waited = other.lock_within(key::<D>(name), Duration::from_millis(40)).await;
    let Err(LocksError::TimedOut { key: told, .. }) = waited else { panic!("{waited:?}") };
    assert!(told.contains(name), "{told} is called {name}");
    let no = other.with(key::<D>(name), Wait::No, async |_: &Held<D>| ()).await;
    assert!(matches!(no, Err(LocksError::TimedOut { .. })), "{no:?}");
    held.release().await.expect("a held key");
    let body = async |held: &Held<D>| held.key().to_string();
    let value = other.with(key::<D>(name), Duration::from_secs(5), body).await;
    assert!(value.expect("a free key").contains(name));
    spawned(one.clone(), key::<D>(name)).await;
}

async fn spawned<D: Driver>(locks: Locks<D>, key: D::Key) {
    let task = is_send_and_static(async move {
        let held = is_send_and_static(locks.lock(key).await.expect("a free key"));
        held.release().await.expect("a held key");
    });
    task.await;
}

/// What a held lock tells and does.
pub(crate) async fn holding<D: Text>(locks: &Locks<D>, name: &str, has_lease: bool) {
    let request: Request<D> = locks.key(key::<D>(name)).expect("a key");
    let held = request.acquire(None).await.expect("a free key");
    assert_eq!((held.mode(), held.token(), held.is_lost()), (Mode::Exclusive, None, false));
    let token: CancellationToken = held.cancelled();
    assert!(!token.is_cancelled());
    let trusted: Option<Duration> = held.trusted_for();
    assert_eq!(trusted.is_some(), has_lease);
    let sure: Result<(), Lost> = held.must_have(Duration::from_secs(1));
    sure.expect("a lock that was just taken");
    let ran: Result<u8, Lost> = held.run_until_lost(async { 7 }).await;
    assert_eq!(ran.expect("a lock that is held"), 7);
    locks.close().await;
    let lost: Lost = in_time(held.lost()).await;
    assert_eq!(lost.reason(), LostReason::Closed);
    assert!(lost.key().contains(name) && held.is_lost() && token.is_cancelled());
    let refused = held.release().await;
    assert!(matches!(refused, Err(LocksError::Lost(_))), "{refused:?}");
    let refused = request.try_lock().await;
    assert!(matches!(refused, Err(LocksError::Closed)), "{refused:?}");
}

/// Several keys, and so many at a time.
pub(crate) async fn several<D: Text>(one: &Locks<D>, other: &Locks<D>, names: [&str; 2]) {
    let keys = [names[1], names[0], names[1]].map(key::<D>);
    let held: Held<D> = one.lock_all(keys, Wait::Forever).await.expect("free keys");
    assert_eq!(held.keys().count(), 2);
    let all: All<D> = other.all(names.map(key::<D>)).expect("keys");
    assert!(all.try_lock().await.expect("an answer").is_none());
    let waited = all.lock_within(Duration::from_millis(40)).await;
    assert!(matches!(waited, Err(LocksError::TimedOut { .. })), "{waited:?}");
    held.release().await.expect("held keys");
    drop(all.lock().await.expect("free keys"));
    let none = one.lock_all(Vec::<D::Key>::new(), Wait::No).await;
    assert!(matches!(none, Err(LocksError::NoKeys)), "{none:?}");
}

pub(crate) async fn permits<D: Text>(one: &Locks<D>, other: &Locks<D>, name: &str) {
    let semaphore: Semaphore<D> = one.semaphore(key::<D>(name), 2).expect("a semaphore");
    let others = other.semaphore(key::<D>(name), 2).expect("a semaphore");
    let first: Permit<D> = semaphore.acquire(Wait::Forever).await.expect("a permit");
    let second = in_time(others.acquire(Duration::from_secs(10))).await.expect("a permit");
    assert!(semaphore.try_acquire().await.expect("an answer").is_none());
    let waited = semaphore.acquire_within(Duration::from_millis(40)).await;
    let Err(LocksError::TimedOut { key, .. }) = waited else { panic!("{waited:?}") };
    assert!(key.contains(name), "{key}");
    // A permit is a held lock.
    let held: &Held<D> = &second;
    assert!(!held.is_lost() && held.run_until_lost(async { true }).await.expect("it is held"));
    first.release().await.expect("a permit");
    second.release().await.expect("a permit");
    let another = one.semaphore(semaphore.key().clone(), 3);
    assert!(matches!(another, Err(LocksError::OtherPermits { .. })), "{another:?}");
    let nobody = one.semaphore(semaphore.key().clone(), 0);
    assert!(matches!(nobody, Err(LocksError::NoPermits { .. })), "{nobody:?}");
}

pub(crate) async fn leads<D: Text>(locks: &Locks<D>, name: &str) {
    let mut terms = 0;
    let led = locks.lead(key::<D>(name), async |term: Term<D>| {
        let (sender, spawned) = tokio::sync::oneshot::channel();
        term.spawn(async move { sender.send(()).expect("the body waits for it") });
        term.spawn(async { 7 });
        spawned.await.expect("it runs beside the body");
        assert!(!term.cancelled().is_cancelled() && term.token().is_none());
        terms += 1;
        match terms {
            1 => ControlFlow::Continue(()),
            2 => {
                term.resign();
                std::future::pending().await
            }
            _ => ControlFlow::Break("led thrice"),
        }
    });
    assert_eq!(in_time(led).await.expect("three terms"), "led thrice");
    let request = locks.key(key::<D>(name)).expect("a key");
    let led = request.lead(async |_| ControlFlow::Break(())).await;
    led.expect("one more term");
}

/// What can be looked at, and what can be freed.
pub(crate) async fn looks<D: Text + InspectDriver>(one: &Locks<D>, other: &Locks<D>, name: &str) {
    let held = one.lock(key::<D>(name)).await.expect("a free key");
    let holders: Vec<Holder<D::Key>> = other.holder(key::<D>(name)).await.expect("an answer");
    assert_eq!((holders.len(), holders[0].is_waiting), (1, false), "{holders:?}");
    let Holder { session, .. } = &holders[0];
    let _: (&Option<String>, &Option<String>, &Option<String>, &Option<Duration>) =
        (&holders[0].host, &holders[0].user, &holders[0].application, &holders[0].since);
    let all = other.holders().await.expect("an answer");
    assert!(all.iter().any(|it| it.session == *session), "{all:?}");
    let stats: Stats = one.stats().await.expect("counts");
    assert!(stats.sessions > 0 && stats.held == 1, "{stats:?}");
    let _ = (stats.waiting, stats.batches, stats.handed_over, stats.losses, stats.oldest_answer);
    let findings: Vec<Finding> = other.check().await.expect("a check-up");
    let faults = findings.iter().filter(|it| it.severity == dlock_db::Severity::Fault);
    assert_eq!(faults.count(), 0, "{findings:?}");
    let mut leader = other.leader(key::<D>(name)).await.expect("an answer");
    let seen = in_time(leader.wait_for(Option::is_some)).await.expect("it goes on").clone();
    assert_eq!(&seen.expect("a leader").session, session);
    let freed = other.free(key::<D>(name)).await.expect("an answer");
    assert!(freed.iter().any(|it| it.session == *session), "{freed:?}");
    in_time(held.lost()).await;
    drop(other.lock_within(key::<D>(name), Duration::from_secs(10)).await.expect("a free key"));
}

pub(crate) async fn shares<D: Text + SharedDriver>(one: &Locks<D>, other: &Locks<D>, name: &str) {
    let shared = |locks: &Locks<D>| locks.key(key::<D>(name)).expect("a key").shared();
    let first = shared(one).lock().await.expect("a free key");
    let second = in_time(shared(other).lock_within(Duration::from_secs(10))).await.expect("room");
    assert_eq!((first.mode(), second.mode()), (Mode::Shared, Mode::Shared));
    assert!(other.try_lock(key::<D>(name)).await.expect("an answer").is_none());
    first.release().await.expect("a held key");
    second.release().await.expect("a held key");
    let value = shared(one).with(Wait::Forever, async |held| held.mode()).await;
    assert_eq!(value.expect("a free key"), Mode::Shared);
    let all = one.all([key::<D>(name)]).expect("keys").shared();
    assert_eq!(all.lock().await.expect("a free key").mode(), Mode::Shared);
}

/// A lock with a session of its own, as far as no native connection is named.
pub(crate) async fn alone<D: Text + AloneDriver>(one: &Locks<D>, other: &Locks<D>, name: &str) {
    let alone = one.key(key::<D>(name)).expect("a key").alone();
    assert!(size_of_val(&alone.lock()) < 16_384, "{} bytes", size_of_val(&alone.lock()));
    let mut held: HeldAlone<D> = alone.lock_within(Duration::from_secs(10)).await.expect("free");
    assert!(held.key().to_string().contains(name) && held.mode() == Mode::Exclusive);
    let _ = held.session();
    let token: CancellationToken = held.cancelled();
    assert!(!held.is_lost() && !token.is_cancelled() && held.trusted_for().is_none());
    held.must_have(Duration::from_secs(60)).expect("there is no trusted time that is too short");
    assert_eq!(held.run_until_lost(async { 7 }).await.expect("a held key"), 7);
    assert!(other.try_lock(key::<D>(name)).await.expect("an answer").is_none());
    let refused = other.key(key::<D>(name)).expect("a key").alone().try_lock().await;
    assert!(refused.expect("an answer").is_none());
    held.release().await.expect("a held key");
    let held = alone.lock().await.expect("a free key");
    held.abort().await.expect("a session that could be ended");
    let value = alone.with(Wait::No, async |_session| 7).await;
    assert_eq!(value.expect("a free key"), 7);
}

/// Alone and shared, in whatever order it is said.
pub(crate) async fn shares_alone<D: Text + AloneDriver + SharedDriver>(
    one: &Locks<D>,
    other: &Locks<D>,
    name: &str,
) {
    let request = |locks: &Locks<D>| locks.key(key::<D>(name)).expect("a key");
    let first = request(one).alone().shared().lock().await.expect("a free key");
    let second = request(other).shared().alone().lock().await.expect("a shared key");
    assert!(first.mode() == Mode::Shared && second.mode() == Mode::Shared);
    first.release().await.expect("a held key");
    second.release().await.expect("a held key");
}

/// What a fence cannot be together with is an error at the call, in whatever order it is said.
pub(crate) async fn conflicts<D>(locks: &Locks<D>, name: &str)
where
    D: Text + AloneDriver + FencedDriver + SharedDriver,
{
    let request = || locks.key(key::<D>(name)).expect("a key");
    for request in [request().fenced().shared(), request().shared().fenced()] {
        let told = request.lock().await.map(drop);
        assert!(matches!(told, Err(LocksError::Conflict { .. })), "{told:?}");
        let told = request.try_lock().await.map(drop);
        assert!(matches!(told, Err(LocksError::Conflict { .. })), "{told:?}");
    }
    for alone in [request().fenced().alone(), request().shared().fenced().alone().shared()] {
        let told = alone.lock_within(Duration::from_secs(10)).await.map(drop);
        assert!(matches!(told, Err(LocksError::Conflict { .. })), "{told:?}");
        let told = alone.with(Wait::No, async |_session| ()).await;
        assert!(matches!(told, Err(LocksError::Conflict { .. })), "{told:?}");
    }
}

/// A token that rises. Its transactions are each driver's own affair.
pub(crate) async fn fences<D: Text + FencedDriver>(locks: &Locks<D>, name: &str) -> Held<D> {
    locks.setup().await.expect("two tables");
    assert!(!D::DDL.is_empty());
    let fenced = locks.key(key::<D>(name)).expect("a key").fenced();
    let first = fenced.lock().await.expect("a free key");
    let token: u64 = first.token().expect("a fence");
    first.release().await.expect("a held key");
    let second = fenced.lock_within(Duration::from_secs(10)).await.expect("a free key");
    assert!(second.token().expect("a fence") > token);
    second
}

/// The error of a wait that ran out names who held the key, where that was asked for.
pub(crate) async fn names_holders<D: Text + InspectDriver>(
    builder: LocksBuilder<D>,
    other: &Locks<D>,
    name: &str,
) {
    let locks = builder.name_holders(true).build().expect("a thread");
    let held = other.lock(key::<D>(name)).await.expect("a free key");
    let holders = other.holder(key::<D>(name)).await.expect("an answer");
    let late = in_time(locks.lock_within(key::<D>(name), Duration::from_millis(40))).await;
    let Err(error) = late else { panic!("it is held elsewhere") };
    assert!(error.to_string().contains(&holders[0].session), "{error} {holders:?}");
    let LocksError::TimedOut { holder: Some(who), .. } = error else { panic!("{error:?}") };
    assert!(who.contains(&holders[0].session), "{who}");
    assert!(locks.try_lock(key::<D>(name)).await.expect("an answer").is_none());
    held.release().await.expect("a held key");
    // Who did not ask is told of nobody.
    let held = locks.lock(key::<D>(name)).await.expect("a free key");
    let late = other.lock_within(key::<D>(name), Duration::from_millis(40)).await;
    assert!(matches!(late, Err(LocksError::TimedOut { holder: None, .. })), "{late:?}");
    held.release().await.expect("a held key");
}

/// All of it, on one server.
pub(crate) async fn every<D: Text + InspectDriver>(
    locks: [Locks<D>; 3],
    prefix: &str,
    has_lease: bool,
) {
    let [one, other, third] = &locks;
    let name = |what: &str| format!("{prefix}:{what}");
    calls(one, other, &name("calls")).await;
    several(one, other, [&name("a"), &name("b")]).await;
    permits(one, other, &name("permits")).await;
    leads(one, &name("leads")).await;
    looks(one, other, &name("looks")).await;
    holding(third, &name("holding"), has_lease).await;
}
