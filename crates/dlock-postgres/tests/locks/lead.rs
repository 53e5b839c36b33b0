//! Leadership, term by term, in two processes.

use crate::{client, config, in_time, locks, ms};
use dlock_locks::{Error, LostReason};
use dlock_postgres::{Locks, Server};
use dlock_testkit::trial::BUSY;
use std::ops::ControlFlow;
use std::time::Instant;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_postgres::Config;

type Term = dlock_locks::Term<Server>;

/// Leads until it is aborted, and tells of each term.
async fn reign(locks: Locks, terms: UnboundedSender<(Term, Instant)>) {
    let request = locks.key("lead").expect("a key").fenced();
    let body = async move |term: Term| {
        terms.send((term.clone(), Instant::now())).expect("somebody who listens");
        std::future::pending::<ControlFlow<()>>().await
    };
    request.lead(body).await.expect("an endless reign");
}

async fn next(terms: &mut UnboundedReceiver<(Term, Instant)>) -> (Term, Instant) {
    in_time(terms.recv()).await.expect("a term")
}

/// A leader whose session is killed is told, its transactions are refused, and the other takes over at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terms_have_rising_tokens_and_a_killed_leader_is_followed_at_once() {
    let names = ["lead one", "lead other"];
    let all = names.map(|name| locks(config(), name));
    in_time(all[0].setup()).await.expect("tables");
    let (sender, mut terms) = unbounded_channel();
    let leaders = all.map(|locks| tokio::spawn(reign(locks, sender.clone())));
    let (admin, mut client) = (client().await, client().await);
    let (mut term, _) = next(&mut terms).await;
    for _ in 0..4 {
        in_time(term.begin(&mut client))
            .await
            .expect("a transaction")
            .commit()
            .await
            .expect("work");
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) \
                    WHERE locktype = 'advisory' AND granted AND application_name LIKE 'lead %'";
        let killed = Instant::now();
        admin.query(kill, &[]).await.expect("a kill");
        let (next, begun) = next(&mut terms).await;
        assert!(begun - killed < BUSY, "{:?}", begun - killed);
        println!("another leads {:?} after a kill", begun - killed);
        assert!(next.token() > term.token(), "{next:?} after {term:?}");
        in_time(term.cancelled().cancelled()).await;
        let refused = in_time(term.begin(&mut client)).await.map(drop).expect_err("it is over");
        let Error::Lost(lost) = refused else { panic!("{refused:?}") };
        assert_eq!(lost.reason(), LostReason::Fenced);
        term = next;
    }
    leaders.iter().for_each(tokio::task::JoinHandle::abort);
}

/// While it competes on a server that is away, later each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_ends_a_competition_that_backs_off() {
    let mut nowhere = Config::new();
    nowhere.host("127.0.0.1").port(1).user("nobody");
    let locks = Locks::builder(nowhere).build().expect("a thread");
    let competing = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lead("lead nowhere", async |_: Term| ControlFlow::Break(())).await }
    });
    // By then it pauses for more than a second and a half.
    tokio::time::sleep(ms(4_000)).await;
    let begun = Instant::now();
    locks.close().await;
    assert!(matches!(in_time(competing).await.expect("no panic"), Err(Error::Closed)));
    assert!(begun.elapsed() < BUSY, "{:?}", begun.elapsed());
}
