//! Any text that the client library of Oracle may send as an error: it has a meaning, and shows.

#![no_main]
#![expect(deprecated, reason = "the driver makes its errors like this, and offers nothing else")]

use dlock_oracle::explain;
use libfuzzer_sys::fuzz_target;
use oracle::{DbError, Error};

fuzz_target!(|input: (bool, i32, u16, &str)| {
    let (is_oci, code, number, text) = input;
    let error = if is_oci {
        Error::OciError(DbError::new(code, 0, text, "", ""))
    } else {
        // The number in the client's own messages has four digits; the driver counts on that.
        let message = format!("DPI-{:04}: {text}", number % 10_000);
        Error::DpiError(DbError::new(code, 0, message, "", ""))
    };
    let meaning = explain(error);
    assert!(!meaning.to_string().is_empty() && !format!("{meaning:?}").is_empty());
});
