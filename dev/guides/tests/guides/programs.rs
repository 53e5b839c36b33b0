//! Ten programs as a user would write them, by the README, the guide and rustdoc alone. What is about locks is
//! between `// lock` and `// end`: those lines are counted.

mod a_shell_command;
mod a_struct;
mod any_database;
mod endpoint;
mod jobs;
mod leader;
mod many_tasks;
mod several;
mod tls;
mod without_a_database;

use std::path::Path;
use std::{fs, str};

/// The most lines of locking code that each may have.
const MOST: [(&str, usize); 10] = [
    ("endpoint", 6),
    ("leader", 10),
    ("jobs", 23),
    ("any_database", 6),
    ("a_struct", 7),
    ("many_tasks", 25),
    ("several", 11),
    ("a_shell_command", 17),
    ("without_a_database", 22),
    ("tls", 4),
];

fn locking(text: &str) -> usize {
    let (mut is_lock, mut count) = (false, 0);
    for line in text.lines().map(str::trim) {
        match line {
            "// lock" => is_lock = true,
            "// end" => is_lock = false,
            "" => {}
            _ => count += usize::from(is_lock),
        }
    }
    count
}

#[test]
fn few_lines_are_about_locks() {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guides/programs");
    for (name, most) in MOST {
        let text = fs::read_to_string(programs.join(name).with_extension("rs")).expect("UTF-8");
        let lines = locking(&text);
        println!("{name}: {lines} of {most}");
        assert!((1..=most).contains(&lines), "{name}: {lines} of {most}");
    }
}
