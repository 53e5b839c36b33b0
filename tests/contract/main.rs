//! The public API as a stranger uses it, who has nothing but `dlock_db`: what is said of it compiles, and does
//! what is said where there is a server.

mod errors;
mod generic;
mod keys;
mod layer;

#[cfg(all(feature = "mysql", feature = "postgres"))]
mod any;
#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "mssql")]
mod mssql;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "oracle")]
mod oracle;
#[cfg(feature = "postgres")]
mod postgres;

use std::path::Path;
use std::time::Duration;

/// Long enough for what has to happen, and an end for what never does.
const SOON: Duration = Duration::from_secs(20);

async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(SOON, future).await.expect("it happens soon")
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn is_send_and_static<T: Send + 'static>(value: T) -> T {
    value
}

/// Who writes to the umbrella needs no other crate of the family.
#[test]
fn nothing_here_names_another_crate_of_the_family() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract");
    let files = std::fs::read_dir(place).expect("this directory").map(|file| file.unwrap().path());
    let others = ["core", "locks", "memory", "postgres", "mysql", "mssql", "oracle"];
    for file in files {
        let text = std::fs::read_to_string(&file).expect("UTF-8");
        for other in others.map(|name| format!("dlock_{name}::")) {
            assert!(!text.contains(&other), "{} names {other}", file.display());
        }
    }
}
