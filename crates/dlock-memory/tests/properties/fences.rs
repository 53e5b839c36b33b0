//! Fences: transactions of two holders never overlap, whatever the holders believe, and tokens rise.

use crate::fault::{Fault, faults};
use crate::{config, processes, run};
use dlock_locks::Error;
use dlock_memory::{Connection, Locks};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, proptest};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What transactions see: the last token, and whether one is inside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row(Arc<Mutex<(u64, usize)>>);

impl Row {
    /// In a transaction of this token's: no older one comes after, and no other is inside.
    pub(crate) fn enter(&self, token: u64) {
        let mut row = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(token >= row.0, "a transaction of {token} after one of {}", row.0);
        assert_eq!(row.1, 0, "a transaction of {token} beside one of {}", row.0);
        *row = (token, 1);
    }

    pub(crate) fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = 0;
    }
}

/// One hold, and the transactions that are begun meanwhile or afterwards.
#[derive(Clone, Debug)]
struct Hold {
    transactions: Vec<Duration>,
    /// Whether it looks for a loss in between.
    is_careful: bool,
}

fn hold() -> impl Strategy<Value = Hold> {
    let transaction = (0..3000_u64).prop_map(Duration::from_micros);
    (vec(transaction, 0..4), any::<bool>())
        .prop_map(|(transactions, is_careful)| Hold { transactions, is_careful })
}

async fn work(locks: Locks, mut connection: Connection, row: Row, holds: Vec<Hold>) {
    let request = locks.key("fenced").expect("a key").fenced();
    let mut last = 0;
    for Hold { transactions, is_careful } in holds {
        let held = request.lock().await.expect("a lock");
        let token = held.token().expect("a token");
        assert!(token > last, "{token} after {last}");
        last = token;
        for stay in transactions {
            if is_careful && held.is_lost() {
                break;
            }
            let transaction = match held.begin(&mut connection).await {
                Ok(transaction) => transaction,
                Err(Error::Lost(_)) => break,
                Err(error) => panic!("{error:?}"),
            };
            row.enter(token);
            tokio::time::sleep(stay).await;
            row.leave();
            transaction.commit().await.expect("a commit");
        }
        // It may be lost.
        let _ = held.release().await;
    }
}

fn plan() -> impl Strategy<Value = (Vec<Vec<Vec<Hold>>>, Vec<Fault>)> {
    (vec(vec(vec(hold(), 1..8), 1..4), 1..5), faults())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn fenced_transactions_never_overlap((plans, faults) in plan()) {
        let (database, locks) = processes(plans.len());
        let row = Row::default();
        run(&database, faults, vec!["fenced".to_owned()], |tasks| {
            for (locks, plans) in locks.into_iter().zip(plans) {
                for holds in plans {
                    let connection = database.connection();
                    tasks.spawn(work(locks.clone(), connection, row.clone(), holds));
                }
            }
        })?;
    }
}
