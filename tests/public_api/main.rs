//! What users may rely on: the same nouns in every driver, futures that may be spawned, and a listing
//! of every public item in `docs/api`, which a change of the API has to touch.

mod listing;
mod nouns;
mod source;
mod visible;

use std::path::{Path, PathBuf};
use std::{env, fs};

const CRATES: [(&str, &str); 8] = [
    ("dlock-db", "."),
    ("dlock-core", "crates/dlock-core"),
    ("dlock-locks", "crates/dlock-locks"),
    ("dlock-memory", "crates/dlock-memory"),
    ("dlock-postgres", "crates/dlock-postgres"),
    ("dlock-mysql", "crates/dlock-mysql"),
    ("dlock-mssql", "crates/dlock-mssql"),
    ("dlock-oracle", "crates/dlock-oracle"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn listed(name: &str) -> PathBuf {
    root().join("docs/api").join(format!("{name}.txt"))
}

/// The lines that only one of the two has, in the order of the file they are in.
fn difference(before: &str, after: &str) -> String {
    let only = |sign: char, of: &str, not: &str| {
        let lines = of.lines().filter(|line| !not.lines().any(|other| other == *line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    only('-', before, after) + &only('+', after, before)
}

#[test]
fn every_public_item_is_listed() {
    let mut changed = String::new();
    for (name, place) in CRATES {
        let after = listing::of(&root().join(place).join("src/lib.rs"));
        let before = fs::read_to_string(listed(name)).unwrap_or_default();
        if before == after {
            continue;
        }
        changed += &format!("docs/api/{name}.txt\n{}", difference(&before, &after));
        if env::var_os("UPDATE_API").is_some() {
            fs::write(listed(name), after).expect("docs/api can be written");
        }
    }
    let advice =
        "if the change is meant, run `UPDATE_API=1 cargo test --test public_api` and commit";
    assert!(changed.is_empty() || env::var_os("UPDATE_API").is_some(), "{changed}{advice}");
}

/// A lock's verbs are in the listing: it did not become empty without a word.
#[test]
fn the_listing_has_what_everybody_calls() {
    let core = listing::of(&root().join("crates/dlock-core/src/lib.rs"));
    for verb in ["lock", "try_lock", "lock_within", "acquire", "release", "close", "with"] {
        assert!(core.contains(&format!("pub async fn {verb}")), "{verb}: {core}");
    }
    assert!(core.contains("pub trait RawLock: Send {"), "{core}");
    assert!(!core.contains("struct Machine") && !core.contains("fn raw_mut"), "{core}");
}
