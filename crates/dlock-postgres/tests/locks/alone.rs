//! A session to itself, which it lends.

use crate::{client, config, in_time, locks, ms};
use dlock_locks::Error;
use std::time::Instant;

#[tokio::test]
async fn the_work_runs_on_its_session_and_ends_with_it() {
    let [one, other] = [locks(config(), "alone one"), locks(config(), "alone other")];
    let alone = one.key("alone").expect("a key").alone();
    let mut held = in_time(alone.lock()).await.expect("a lock");
    assert!(in_time(other.try_lock("alone")).await.expect("an answer").is_none());
    let transaction = held.session().transaction().await.expect("a transaction");
    let name: String =
        transaction.query_one("SHOW application_name", &[]).await.expect("a name").get(0);
    assert_eq!(name, "alone one");
    transaction.commit().await.expect("a commit");
    let refused = in_time(other.key("alone").expect("a key").alone().lock_within(ms(100))).await;
    assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
    in_time(held.release()).await.expect("a release");
    drop(in_time(other.try_lock("alone")).await.expect("an answer").expect("it is free"));
}

#[tokio::test]
async fn it_is_told_of_its_end() {
    let (one, eye) = (locks(config(), "alone killed"), client().await);
    let mut held =
        in_time(one.key("alone killed").expect("a key").alone().lock()).await.expect("a lock");
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE application_name = 'alone killed'";
    eye.batch_execute(kill).await.expect("a kill");
    in_time(held.lost()).await;
    assert!(in_time(held.release()).await.is_err());
}

/// The key is free at once, whatever runs on the session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abort_ends_what_runs() {
    let [one, other] = [locks(config(), "abort one"), locks(config(), "abort other")];
    let mut held = in_time(one.key("abort").expect("a key").alone().lock()).await.expect("a lock");
    let begun = Instant::now();
    let long = tokio::time::timeout(ms(200), held.session().batch_execute("SELECT pg_sleep(30)"));
    long.await.expect_err("it takes longer");
    in_time(held.abort()).await.expect("it is ended");
    drop(in_time(other.try_lock("abort")).await.expect("an answer").expect("it is free"));
    assert!(begun.elapsed() < ms(3000), "{:?}", begun.elapsed());
}

/// Readers may be alone together.
#[tokio::test]
async fn shared_ones_share() {
    let one = locks(config(), "alone shared");
    let request = || one.key("alone shared").expect("a key").shared().alone();
    let held = in_time(request().lock()).await.expect("a lock");
    let second = in_time(request().try_lock()).await.expect("an answer").expect("it is shared");
    assert!(in_time(one.try_lock("alone shared")).await.expect("an answer").is_none());
    drop((held, second));
    in_time(one.lock("alone shared"))
        .await
        .expect("both let go")
        .release()
        .await
        .expect("released");
}
