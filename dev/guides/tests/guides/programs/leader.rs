//! A leader: of three, one ticks; when it ends, another goes on.

use crate::{in_time, locks};
use dlock_db::postgres::{Locks, LocksError, Term};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use tokio::task::{JoinSet, yield_now};

#[derive(Default)]
struct Scheduler {
    leading: AtomicU32,
    ticks: AtomicU32,
}

impl Scheduler {
    async fn tick(&self) {
        assert_eq!(self.leading.fetch_add(1, SeqCst), 0, "two lead");
        yield_now().await;
        self.leading.fetch_sub(1, SeqCst);
        self.ticks.fetch_add(1, SeqCst);
    }

    fn is_done(&self) -> bool {
        self.ticks.load(SeqCst) == 30
    }
}

async fn serve(locks: Locks, scheduler: Arc<Scheduler>) -> Result<(), LocksError> {
    // lock
    let body = async move |term: Term| {
        while !term.cancelled().is_cancelled() && !scheduler.is_done() {
            scheduler.tick().await;
        }
        if scheduler.is_done() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    locks.lead("program:scheduler", body).await
    // end
}

#[tokio::test]
async fn one_leads_at_a_time() {
    let (scheduler, mut machines) = (Arc::new(Scheduler::default()), JoinSet::new());
    for _ in 0..3 {
        machines.spawn(serve(locks().await, Arc::clone(&scheduler)));
    }
    for served in in_time(machines.join_all()).await {
        served.expect("a term");
    }
    assert_eq!(scheduler.ticks.load(SeqCst), 30);
}
