//! Fifty jobs in four workers over MySQL: each job runs once at a time, and each is done once.

use crate::in_time;
use dlock_db::mysql::{Locks, LocksError};
use dlock_testkit::server::MySql;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::task::{JoinSet, yield_now};

const JOBS: usize = 50;

/// How often each was begun; what says that it is done.
struct Jobs([AtomicU32; JOBS]);

impl Jobs {
    fn is_done(&self, job: usize) -> bool {
        self.0[job].load(SeqCst) > 0
    }

    async fn run(&self, job: usize) {
        yield_now().await;
        self.0[job].fetch_add(1, SeqCst);
    }
}

async fn worker(locks: Locks, jobs: Arc<Jobs>) -> Result<(), LocksError> {
    for job in 0..JOBS {
        // lock
        let Some(held) = locks.try_lock(format!("program:job:{job}")).await? else { continue };
        if !jobs.is_done(job) {
            held.run_until_lost(jobs.run(job)).await?;
        }
        held.release().await?;
        // end
    }
    Ok(())
}

#[tokio::test]
async fn each_job_is_done_once() {
    let url = MySql::shared().expect("a MySQL server").url();
    let jobs = Arc::new(Jobs(std::array::from_fn(|_| AtomicU32::new(0))));
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        // lock
        let locks = Locks::connect(url).await.expect("a session");
        // end
        workers.spawn(worker(locks, Arc::clone(&jobs)));
    }
    for worked in in_time(workers.join_all()).await {
        worked.expect("jobs");
    }
    let counts = jobs.0.iter().map(|count| count.load(SeqCst));
    assert_eq!(Vec::from_iter(counts), [1; JOBS]);
}
