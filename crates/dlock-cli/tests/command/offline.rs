//! What asks no server: `dlock key`, `dlock completions`, `dlock man`, help.

use crate::fixture::{dlock, output};
use serde_json::{Value, json};
use std::process::Command;

const TASKS: [&str; 11] =
    ["run", "lead", "list", "who", "free", "top", "doctor", "setup", "key", "completions", "man"];

/// `dlock` where no server is named.
fn alone(arguments: &[&str]) -> Command {
    let mut command = dlock("", arguments);
    command.env_remove("DLOCK_URL");
    command
}

fn shown(arguments: &[&str]) -> String {
    let (status, shown, said) = output(alone(arguments));
    assert_eq!((status, said.as_str()), (0, ""), "{arguments:?}");
    shown
}

#[test]
fn a_key_is_told_for_each_server() {
    let names: Value = serde_json::from_str(&shown(&["key", "my-resource-key", "--json"])).unwrap();
    let expected = json!({
        "postgres": "-8735762693110921056",
        "mysql": "my-resource-key",
        "mssql": "my-resource-key",
        "oracle": names["oracle"],
    });
    assert_eq!(names, expected);
    let lines = shown(&["key", "my-resource-key"]);
    let oracle = names["oracle"].as_str().unwrap();
    assert_eq!(
        lines,
        format!(
            "PostgreSQL      -8735762693110921056\nMySQL, MariaDB  my-resource-key\n\
             SQL Server      my-resource-key\nOracle          {oracle}\n"
        )
    );
}

#[test]
fn a_key_that_a_server_does_not_take_is_none_there() {
    let long = "x".repeat(80);
    let names: Value = serde_json::from_str(&shown(&["key", &long, "--json"])).unwrap();
    assert_eq!((&names["mysql"], &names["mssql"]), (&Value::Null, &long.as_str().into()));
    let lines = shown(&["key", &long]);
    assert!(lines.contains("none: the key has 80 characters"), "{lines}");
    assert!(lines.contains("at most 64; choose another key"), "{lines}");
}

#[test]
fn completions_know_every_task() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = shown(&["completions", shell]);
        for task in TASKS {
            assert!(script.contains(task), "{shell}: {task}");
        }
    }
    let (status, _, said) = output(alone(&["completions", "csh"]));
    assert_eq!((status, said.matches('\n').count()), (64, 1), "{said}");
}

/// bash itself finds nothing wrong with them, and completes by them.
#[test]
fn bash_completes() {
    let script = shown(&["completions", "bash"]);
    let asks = "COMP_WORDS=(dlock do); COMP_CWORD=1; _dlock dlock do dlock; echo ${COMPREPLY[*]}";
    let mut bash = Command::new("bash");
    bash.args(["-c", &format!("{script}\n{asks}")]);
    assert_eq!(output(bash), (0, "doctor\n".to_owned(), String::new()));
}

#[test]
fn the_manual_has_every_task_and_what_json_is() {
    let page = shown(&["man"]);
    for task in TASKS {
        assert!(page.contains(&format!("dlock\\-{task}")), "{task}");
    }
    for word in ["since_seconds", "severity", "mssql", "Exit status"] {
        assert!(page.contains(word), "{word}");
    }
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{}", &page[..40]);
}

#[test]
fn help_is_had_for_every_task() {
    for task in TASKS {
        for help in [&[task, "--help"][..], &["help", task]] {
            assert!(shown(help).contains("Usage: dlock"), "{task}");
        }
    }
    for task in ["list", "who", "free"] {
        assert!(shown(&[task, "--help"]).contains("since_seconds  number, or null"), "{task}");
    }
    assert!(shown(&["doctor", "--help"]).contains("severity       text: fault, warning or note"));
    assert!(shown(&["key", "--help"]).contains("mysql          text: the name on MySQL"));
    assert!(shown(&["--help"]).contains("dlock run report --no-wait -- ./report.sh"));
    assert_eq!(shown(&["--version"]), concat!("dlock ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// A reader that has seen enough is no failure.
#[test]
fn a_pipe_that_is_closed_is_no_failure() {
    let dlock = alone(&[]).get_program().to_owned();
    for task in ["man", "completions bash", "key k", "--help"] {
        let mut shell = Command::new("bash");
        let script = format!("set -o pipefail; \"$0\" {task} | true; echo ${{PIPESTATUS[0]}}");
        shell.args(["-c", &script]).arg(&dlock).env_remove("DLOCK_URL");
        assert_eq!(output(shell), (0, "0\n".to_owned(), String::new()), "{task}");
    }
}
