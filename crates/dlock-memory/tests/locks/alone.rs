use crate::{in_time, ms, processes, until};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_memory::{Ended, Mode, Session};

fn is_send_and_static<T: Send + 'static>(_: &T) {}

#[tokio::test]
async fn a_lock_alone_lends_its_session() {
    let (database, [one, other]) = processes();
    let alone = one.key("k").expect("a key").alone();
    let mut held = in_time(alone.lock()).await.expect("a lock");
    is_send_and_static(&held);
    assert_eq!((held.key().as_str(), held.mode()), ("k", Mode::Exclusive));
    assert_eq!(held.session().echo(42).await, Ok(42));
    assert!(in_time(other.try_lock("k")).await.expect("an answer").is_none());
    assert!(in_time(alone.try_lock()).await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    assert_eq!(database.holders("k"), 0);
}

#[tokio::test]
async fn it_waits_behind_the_others_and_for_so_long() {
    let (_database, [one, other]) = processes();
    let held = one.lock("k").await.expect("a lock");
    let alone = other.key("k").expect("a key").alone();
    let refused = in_time(alone.lock_within(ms(50))).await.expect_err("it is held");
    assert!(matches!(&refused, Error::TimedOut { key, .. } if key == "k"), "{refused:?}");
    let (granted, ()) = in_time(async {
        tokio::join!(alone.lock(), async {
            tokio::time::sleep(ms(20)).await;
            drop(held);
        })
    })
    .await;
    drop(granted.expect("a lock"));
    in_time(one.lock("k")).await.expect("it was let go").release().await.expect("a release");
}

#[tokio::test]
async fn shared_ones_share() {
    let (_database, [one, other]) = processes();
    let held = one.key("k").expect("a key").shared().lock().await.expect("a lock");
    let alone = other.key("k").expect("a key").shared().alone();
    let second = in_time(alone.lock()).await.expect("a lock");
    assert_eq!(second.mode(), Mode::Shared);
    let writer = other.key("k").expect("a key").alone();
    assert!(in_time(writer.try_lock()).await.expect("an answer").is_none());
    drop((held, second));
}

#[tokio::test]
async fn its_loss_is_the_end_of_its_session() {
    let (database, [one]) = processes();
    let alone = one.key("k").expect("a key").alone();
    let mut held = alone.lock().await.expect("a lock");
    database.kill("k");
    assert_eq!(in_time(held.lost()).await.key(), "k");
    assert!(matches!(in_time(held.release()).await, Err(Error::Lost(_))));
    let killed = alone.with(Wait::No, async |session: &Session| {
        database.kill("k");
        session.echo(1).await
    });
    assert!(matches!(in_time(killed).await, Err(Error::Lost(_))));
}

#[tokio::test]
async fn aborted_dropped_or_at_the_end_of_a_scope_it_is_free() {
    let (database, [one]) = processes();
    let alone = one.key("k").expect("a key").alone();
    in_time(alone.lock().await.expect("a lock").abort()).await.expect("an end");
    assert_eq!(database.holders("k"), 0);
    drop(alone.lock().await.expect("a lock"));
    assert_eq!(database.holders("k"), 0);
    let value = alone.with(Wait::No, async |session: &Session| session.echo(7).await).await;
    assert_eq!((value.expect("a value"), database.holders("k")), (Ok::<_, Ended>(7), 0));
}

#[tokio::test]
async fn a_dropped_call_leaves_no_session() {
    let (database, [one, other]) = processes();
    let held = one.lock("k").await.expect("a lock");
    let alone = other.key("k").expect("a key").alone();
    for millis in 0..20 {
        tokio::time::timeout(ms(millis), alone.lock()).await.expect_err("it is held");
    }
    in_time(until(|| database.waiters("k") == 0)).await;
    drop(held);
    in_time(until(|| database.holders("k") == 0)).await;
}

#[tokio::test]
async fn closed_locks_open_no_session() {
    let (_database, [one]) = processes();
    let alone = one.key("k").expect("a key").alone();
    one.close().await;
    assert!(matches!(alone.lock().await, Err(Error::Closed)));
}

/// It may be spawned.
#[tokio::test]
async fn its_calls_are_send() {
    let (_database, [one]) = processes();
    let spawned = tokio::spawn(async move {
        let alone = one.key("k")?.alone();
        alone.lock_within(ms(100)).await?.release().await?;
        alone.with(Wait::No, async |_: &Session| ()).await?;
        alone.lock().await?.abort().await
    });
    in_time(spawned).await.expect("no panic").expect("no error");
}
