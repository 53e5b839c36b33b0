use crate::{in_time, ms, processes, until};
use dlock_memory::Database;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

type Term = dlock_locks::Term<Database>;

/// After a kill another term begins, of another leader or the same, and a break ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_15_one_body_at_a_time_and_again_after_a_loss() {
    let (database, [one, _other]) = processes();
    let (inside, terms) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let body = async |term: Term| {
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
        let count = terms.fetch_add(1, Ordering::SeqCst);
        scopeguard(&inside, async {
            match count {
                0 => {
                    term.spawn(std::future::pending());
                    database.kill("lead");
                    std::future::pending().await
                }
                1 => {
                    term.resign();
                    std::future::pending().await
                }
                2..5 => ControlFlow::Continue(()),
                _ => ControlFlow::Break(count),
            }
        })
        .await
    };
    let (first, second) =
        in_time(async { tokio::join!(one.lead("lead", body), one.lead("lead", body)) }).await;
    assert!(first.expect("a value") + second.expect("a value") >= 11);
    in_time(until(|| database.holders("lead") == 0)).await;
    tokio::time::sleep(ms(1)).await;
}

/// Counts down, also where the body is dropped.
async fn scopeguard<F: Future>(inside: &AtomicUsize, body: F) -> F::Output {
    struct Inside<'a>(&'a AtomicUsize);
    impl Drop for Inside<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let _inside = Inside(inside);
    body.await
}
