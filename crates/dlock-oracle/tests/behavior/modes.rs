//! The six modes.

use crate::bench::Bench;
use dlock_core::Wait;
use dlock_oracle::Mode::{self, NL, S, SS, SSX, SX, X};
use std::time::Duration;

/// Who may come in while one holds, from the table in the manual of `DBMS_LOCK`.
const MATRIX: [(Mode, [bool; 6]); 6] = [
    (NL, [true, true, true, true, true, true]),
    (SS, [true, true, true, true, true, false]),
    (SX, [true, true, true, false, false, false]),
    (S, [true, true, false, true, false, false]),
    (SSX, [true, true, false, false, false, false]),
    (X, [true, false, false, false, false, false]),
];

pub(crate) async fn matrix() {
    let bench = Bench::new("matrix");
    let waits = [Wait::No, Wait::For(Duration::from_millis(30))];
    for (held, row) in MATRIX {
        let mut holder = bench.lock("matrix").with_mode(held);
        assert!(holder.acquire(Wait::No).await.unwrap());
        for (asked, granted) in [NL, SS, SX, S, SSX, X].into_iter().zip(row) {
            let mut lock = bench.lock("matrix").with_mode(asked);
            for wait in waits {
                assert_eq!(lock.acquire(wait).await.unwrap(), granted, "{held} {asked} {wait:?}");
                assert_eq!(bench.seen("matrix"), (1 + usize::from(granted), 0));
                lock.close().await.unwrap();
            }
            assert_eq!(lock.mode(), asked);
        }
        holder.release().await.unwrap();
    }
}

pub(crate) async fn shared_is_s() {
    let bench = Bench::new("shared");
    let (mut one, mut other) = (bench.lock("s").shared(), bench.lock("s").with_mode(S));
    assert_eq!(one.mode(), S);
    assert!(one.acquire(Wait::No).await.unwrap() && other.acquire(Wait::No).await.unwrap());
    assert_eq!(bench.lock("s").mode(), X);
    one.release().await.unwrap();
    other.release().await.unwrap();
}
