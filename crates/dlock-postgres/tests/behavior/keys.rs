//! Any number, and any pair, is the key that the server shows.

use crate::eye::{Eye, connect};
use dlock_core::Wait;
use dlock_postgres::{Key, Lock};
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::time::Duration;

fn keys() -> impl Strategy<Value = Key> {
    let ends = [i32::MIN, -1, 0, 1, i32::MAX];
    let end = proptest::sample::select(&[i64::MIN, i64::MAX, 1 << 31, 1 << 32, -1 << 32][..]);
    let half = prop_oneof![any::<i32>(), proptest::sample::select(ends.to_vec())];
    prop_oneof![
        any::<i64>().prop_map(Key::from),
        end.prop_map(Key::from),
        (half.clone(), half).prop_map(Key::from),
    ]
}

/// Acquired in each kind of wait, released by a call and by a drop: the text form of each key does.
#[tokio::test]
async fn random() {
    let (client, eye) = (connect().await, Eye::open().await);
    let (keys, mut runner) = (keys(), TestRunner::default());
    for round in 0..150 {
        let key = keys.new_tree(&mut runner).unwrap().current();
        let mut lock = Lock::new(&client, &key).unwrap();
        let wait = [Wait::No, Wait::For(Duration::from_secs(5)), Wait::Forever][round % 3];
        assert!(lock.acquire(wait).await.unwrap(), "{key}");
        assert_eq!(eye.sees(&key).await, (1, 0), "{key}");
        if round % 2 == 0 {
            lock.release().await.unwrap();
            assert_eq!(eye.sees(&key).await, (0, 0), "{key}");
        } else {
            drop(lock);
            eye.until(key, (0, 0)).await;
        }
    }
}
