//! Leaders: one body at a time in a process, one leader in all who is not told of a loss, and what terms write
//! behind their fences is in the order of their tokens.

use crate::fault::{Fault, faults};
use crate::fences::Row;
use crate::register::Register;
use crate::{config, processes, run};
use dlock_locks::{Error, Term};
use dlock_memory::{Connection, Database, Locks};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof, proptest};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How a term ends that is not lost.
#[derive(Clone, Copy, Debug)]
enum End {
    Returns,
    Resigns,
}

/// What one does who leads: so long, with a transaction in it.
#[derive(Clone, Debug)]
struct Plan {
    stay: Duration,
    end: End,
}

fn terms() -> impl Strategy<Value = Vec<Plan>> {
    let stay = (0..8000_u64).prop_map(Duration::from_micros);
    let end = prop_oneof![3 => Just(End::Returns), 1 => Just(End::Resigns)];
    vec((stay, end).prop_map(|(stay, end)| Plan { stay, end }), 1..6)
}

/// Who is inside: in a process, in all, and by what transactions see.
#[derive(Clone)]
struct Watch {
    process: Arc<AtomicUsize>,
    register: Register,
    row: Row,
}

/// One body of this process.
struct Body(Arc<AtomicUsize>);

impl Body {
    fn enter(process: &Arc<AtomicUsize>) -> Self {
        assert_eq!(process.fetch_add(1, Ordering::SeqCst), 0, "two bodies of one process");
        Self(Arc::clone(process))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Leads as often as there are plans, however many terms are lost meanwhile.
async fn leads(locks: Locks, mut connection: Connection, watch: Watch, plans: Vec<Plan>) {
    let (mut plans, mut last) = (plans.into_iter(), 0);
    let body = async move |term: Term<Database>| {
        let _body = Body::enter(&watch.process);
        let _stay = watch.register.enter("lead", 1, term.cancelled()).await;
        let token = term.token().expect("a token");
        assert!(token > last, "{token} after {last}");
        last = token;
        let Some(plan) = plans.next() else { return ControlFlow::Break(()) };
        writes(&term, &mut connection, &watch.row, plan.stay).await;
        if let End::Resigns = plan.end {
            term.resign();
        }
        ControlFlow::Continue(())
    };
    let request = locks.key("lead").expect("a key").fenced();
    request.lead(body).await.expect("it leads to its end");
}

/// A transaction whose body is not dropped midway: the row is left when it is.
async fn writes(term: &Term<Database>, connection: &mut Connection, row: &Row, stay: Duration) {
    let transaction = match term.begin(connection).await {
        Ok(transaction) => transaction,
        Err(Error::Lost(_)) => return,
        Err(error) => panic!("{error:?}"),
    };
    row.enter(term.token().expect("a token"));
    let leaves = Leaves(row);
    tokio::time::sleep(stay).await;
    drop(leaves);
    transaction.commit().await.expect("a commit");
}

struct Leaves<'a>(&'a Row);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

fn plan() -> impl Strategy<Value = (Vec<Vec<Vec<Plan>>>, Vec<Fault>)> {
    (vec(vec(terms(), 1..3), 1..5), faults())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn terms_never_overlap_and_tokens_rise((plans, faults) in plan()) {
        let (database, locks) = processes(plans.len());
        let (register, row) = (Register::default(), Row::default());
        run(&database, faults, vec!["lead".to_owned()], |tasks| {
            for (locks, plans) in locks.into_iter().zip(plans) {
                let process = Arc::default();
                for terms in plans {
                    let process = Arc::clone(&process);
                    let watch = Watch { process, register: register.clone(), row: row.clone() };
                    tasks.spawn(leads(locks.clone(), database.connection(), watch, terms));
                }
            }
        })?;
    }
}
