//! What an administrator has to do first.

use crate::bench::Bench;
use dlock_core::Wait;
use dlock_oracle::{Error, Lock, explain};
use oracle::Connection;
use std::error::Error as _;

pub(crate) async fn missing_grant() {
    let connection = Connection::connect("nogrant", "tiger", "setup").unwrap();
    let mut lock = Lock::new(connection, "k").unwrap();
    for wait in [Wait::No, Wait::Forever] {
        let error = lock.acquire(wait).await.unwrap_err();
        assert!(error.to_string().contains("GRANT EXECUTE ON SYS.DBMS_LOCK TO"), "{error}");
        assert!(error.source().unwrap().to_string().contains("PLS-00201"));
        assert!(matches!(error, Error::Setup { source: Some(_), .. }));
    }
    assert!(!lock.is_locked() && lock.session().is_some());
}

/// An error that dlock has nothing to say about stays the driver's.
pub(crate) async fn wrong_password() {
    let bench = Bench::new("setup");
    assert_eq!(bench.seen("k"), (0, 0));
    let refused = Connection::connect("scott", "wrong", "setup").err().unwrap();
    let error = explain(refused);
    assert!(matches!(error, Error::Driver(_)));
    assert_eq!(error.driver().unwrap().oci_code(), Some(1017));
}
