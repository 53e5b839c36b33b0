//! A machine without an Oracle client library. A file of its own: a process looks for it once.

use dlock_oracle::{Error, explain};
use oracle::InitParams;

#[test]
fn a_missing_client_library_is_a_sentence_on_what_to_install() {
    let nowhere = env!("CARGO_MANIFEST_DIR");
    let mut params = InitParams::new();
    let params =
        params.oracle_client_lib_dir(nowhere).expect("a directory without a null character");
    let error = explain(params.init().expect_err("no client library lies here"));
    assert!(error.to_string().contains("install Oracle Instant Client"), "{error}");
    assert!(matches!(error, Error::Setup { source: Some(_), .. }));
}
