//! House rules, as far as a reader of lines can tell.

mod examples;
mod functions;

use std::fs;
use std::path::{Path, PathBuf};

const PUBLISHED: [&str; 8] = [
    "dlock-core",
    "dlock-locks",
    "dlock-memory",
    "dlock-postgres",
    "dlock-mysql",
    "dlock-mssql",
    "dlock-oracle",
    "dlock-cli",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true if path.ends_with("target") => Vec::new(),
        true => rust_files(&path),
        false => vec![path],
    });
    files.filter(|path| path.extension().is_some_and(|kind| kind == "rs")).collect()
}

/// The lines of these files that are code, with where they stand.
fn code(files: &[PathBuf]) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).expect("UTF-8");
        let numbered =
            text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        lines.extend(numbered.map(|(n, line)| {
            (
                format!("{}:{}", file.strip_prefix(root()).unwrap_or(file).display(), n + 1),
                line.to_owned(),
            )
        }));
    }
    lines
}

fn published() -> Vec<PathBuf> {
    let mut files = rust_files(&root().join("src"));
    for name in PUBLISHED {
        files.extend(rust_files(&root().join("crates").join(name).join("src")));
    }
    // It is compiled for tests alone.
    files.retain(|file| !file.components().any(|part| part.as_os_str() == "simulation"));
    files.retain(|file| !file.ends_with("simulation.rs"));
    assert!(files.len() > 20, "{files:?}");
    files
}

fn refuse(lines: &[(String, String)], words: &[&str]) {
    let found: Vec<_> =
        lines.iter().filter(|(_, line)| words.iter().any(|word| line.contains(word))).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn published_code_has_no_macros_globs_or_stubs() {
    let lines = code(&published());
    refuse(&lines, &["macro_rules!", "async_trait", "todo!(", "unimplemented!(", "unsafe "]);
    refuse(&lines, &["pub use self::*", "::*;\n", "dbg!(", "println!("]);
    let globs: Vec<_> = lines
        .iter()
        .filter(|(_, line)| line.starts_with("pub use") && line.ends_with("::*;"))
        .collect();
    assert!(globs.is_empty(), "{globs:#?}");
}

#[test]
fn no_test_is_switched_off() {
    let places = ["crates", "dev", "tests"];
    let files: Vec<_> = places.iter().flat_map(|place| rust_files(&root().join(place))).collect();
    let attribute = concat!("#[", "ignore");
    refuse(&code(&files), &[attribute]);
}

#[test]
fn files_are_short_and_named_for_what_they_hold() {
    for file in published() {
        let lines = fs::read_to_string(&file).expect("UTF-8").lines().count();
        assert!(lines <= 400, "{} has {lines} lines", file.display());
        let name = file.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        assert!(
            !["utils", "common", "helpers", "inner", "manager", "misc"].contains(&name),
            "{name}"
        );
    }
}

#[test]
fn examples_fit_on_a_screen() {
    let examples = rust_files(&root().join("examples"));
    assert!(examples.len() >= 12, "{examples:?}");
    for file in examples {
        let text = fs::read_to_string(&file).expect("UTF-8");
        assert!(text.lines().count() < 100, "{}", file.display());
        assert!(
            text.starts_with("//! ") && text.lines().next().is_some_and(|line| line.ends_with('?')),
            "{}",
            file.display()
        );
    }
}

/// Every published crate says things once: in the workspace.
#[test]
fn manifests_inherit() {
    for name in PUBLISHED {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("a manifest");
        for field in ["version", "edition", "rust-version", "license", "repository"] {
            assert!(text.contains(&format!("{field}.workspace = true")), "{name}: {field}");
        }
        assert!(text.contains("[lints]\nworkspace = true"), "{name}");
        assert!(text.contains("[package.metadata.docs.rs]\nall-features = true"), "{name}");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(manifest.with_file_name(file).is_file(), "{name} is packaged without {file}");
        }
    }
}
