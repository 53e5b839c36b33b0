use crate::server::{config, connect, count, run, sessions};
use crate::{builder, fresh, in_time, ms, pair};
use dlock_core::Wait;
use dlock_locks::Error;
use dlock_mssql::tiberius::AuthMethod;
use dlock_testkit::trial::BUSY;
use std::time::Instant;

pub(crate) async fn it_lends_its_session() {
    let ([one, other], key) = (pair().await, fresh("alone"));
    let alone = one.key(&key).expect("a key").alone();
    // A connection's making, which is large, is not a part of it.
    assert!(size_of_val(&alone.lock()) < 16_384, "{} bytes", size_of_val(&alone.lock()));
    let mut held = in_time(alone.lock()).await.expect("a lock");
    let answer = held.session().simple_query("SELECT 42").await.expect("an answer");
    let row = answer.into_row().await.expect("an answer").expect("a row");
    assert_eq!(row.get::<i32, _>(0), Some(42));
    assert!(in_time(other.try_lock(&key)).await.expect("an answer").is_none());
    in_time(held.release()).await.expect("a release");
    let shared = one.key(&key).expect("a key").shared().alone();
    let held = in_time(shared.lock()).await.expect("a lock");
    let reader = in_time(other.key(&key).expect("a key").shared().try_lock()).await;
    assert!(reader.expect("an answer").is_some());
    drop(held);
    let again = in_time(other.lock_within(&key, ms(1000))).await;
    drop(again.expect("it was let go"));
}

pub(crate) async fn its_loss_is_told() {
    let ([one, _], key) = (pair().await, fresh("alone-kill"));
    let mut observer = connect(&config().await).await;
    let mut held = in_time(one.key(&key).expect("a key").alone().lock()).await.expect("a lock");
    assert!(tokio::time::timeout(ms(200), held.lost()).await.is_err(), "all is well");
    let [session] = sessions(&mut observer, &key).await[..] else { panic!("one session") };
    let begun = Instant::now();
    run(&mut observer, &format!("KILL {session}")).await;
    assert_eq!(in_time(held.lost()).await.key(), key);
    println!("the loss of a lock alone was told after {:?}", begun.elapsed());
    assert!(begun.elapsed() < BUSY, "{:?}", begun.elapsed());
    assert!(matches!(in_time(held.release()).await, Err(Error::Lost(_))));
}

/// Whatever runs on it.
pub(crate) async fn it_is_aborted() {
    let ([one, _], key) = (pair().await, fresh("abort"));
    let mut observer = connect(&config().await).await;
    let alone = one.key(&key).expect("a key").alone();
    let mut held = in_time(alone.lock()).await.expect("a lock");
    let work = held.session().simple_query("WAITFOR DELAY '00:00:30'");
    assert!(
        tokio::time::timeout(ms(100), async { work.await?.into_results().await }).await.is_err()
    );
    in_time(held.abort()).await.expect("an end");
    assert_eq!(count(&mut observer, &key, false).await, 0);
    let value = alone.with(Wait::No, async |_: &mut _| 7).await;
    assert_eq!(value.expect("a value"), 7);
}

pub(crate) async fn an_abort_without_the_right_says_so() {
    let mut config = config().await;
    config.authentication(AuthMethod::sql_server("plain", "s3cret"));
    let locks = builder(config).build().expect("a thread");
    let alone = locks.key(fresh("abort")).expect("a key").alone();
    let held = in_time(alone.lock()).await.expect("a lock");
    let error = in_time(held.abort()).await.expect_err("it may not");
    assert!(
        std::error::Error::source(&error).is_some_and(|it| it.to_string().contains("ALTER ANY"))
    );
}
