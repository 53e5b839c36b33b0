//! What makes no sense, and servers that are not there: a status and one sentence, whatever the task.

use crate::engines::{Kind, kinds};
use crate::fixture::{dlock, name, output};
use std::net::TcpListener;
use std::process::Command;

/// Each task that asks a server, with what it needs.
const TASKS: [&[&str]; 8] = [
    &["run", "key", "--", "true"],
    &["lead", "key", "--", "true"],
    &["list"],
    &["who", "key"],
    &["free", "key"],
    &["free", "key", "--yes", "--json"],
    &["doctor"],
    &["setup"],
];

/// Refused with this status and one sentence, with backtraces asked for too.
fn refused(command: impl Fn() -> Command, status: i32) -> String {
    let mut said = Vec::new();
    for backtrace in ["0", "1", "full"] {
        let mut command = command();
        let told = format!("{command:?}");
        let (got, shown, sentence) = output({
            command.env("RUST_BACKTRACE", backtrace);
            command
        });
        assert_eq!((got, shown.as_str()), (status, ""), "{told}: {sentence}");
        assert!(sentence.starts_with("dlock: ") && sentence.len() > 20, "{told}: {sentence}");
        assert_eq!(sentence.matches('\n').count(), 1, "{told}: {sentence}");
        assert!(!sentence.contains("Error {") && !sentence.contains("Err("), "{sentence}");
        said.push(sentence);
    }
    assert!(said.iter().all(|it| *it == said[0]), "{said:?}");
    said.swap_remove(0)
}

#[test]
fn no_url_is_64() {
    for task in TASKS {
        for url in ["", "  "] {
            let said = refused(|| dlock(url, task), 64);
            assert!(said.contains(if url.is_empty() { "DLOCK_URL" } else { "scheme" }), "{said}");
        }
        let unset = || {
            let mut command = dlock("", task);
            command.env_remove("DLOCK_URL");
            command
        };
        assert!(refused(unset, 64).contains("--url-file"));
    }
}

#[test]
fn a_url_that_names_no_server_is_64() {
    for task in TASKS {
        for url in
            ["gopher://db/app", "db", "host=db user=app", "postgres:db/app", "://", "redis://x"]
        {
            assert!(refused(|| dlock(url, task), 64).contains("scheme"), "{url}");
        }
        for url in ["postgres://db:port/app", "mysql://db:port/app", "mssql://", "oracle://"] {
            refused(|| dlock(url, task), 64);
        }
    }
}

/// What SQL Server's own driver takes is refused by what is taken, and its password is not shown.
#[test]
fn an_ado_or_jdbc_string_is_64() {
    for url in [
        "Server=tcp:db,1433;Database=app;User Id=app;Password=s3cret",
        "jdbc:sqlserver://db:1433;databaseName=app;user=app;password=s3cret",
    ] {
        let said = refused(|| dlock(url, TASKS[0]), 64);
        assert!(said.contains("JDBC") && said.contains("mssql://user"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

/// What cannot be is told before any server is asked.
#[test]
fn a_key_that_cannot_be_is_64_where_no_server_is() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("mysql://app:word@{}/app", taken.local_addr().unwrap());
    drop(taken);
    let long = "x".repeat(65);
    for key in [long.as_str(), ""] {
        for task in ["run", "lead"] {
            refused(|| dlock(&url, &[task, key, "--", "true"]), 64);
        }
        for task in ["who", "free"] {
            refused(|| dlock(&url, &[task, key]), 64);
        }
    }
    let said = refused(|| dlock(&url, &["run", "k", "--permits", "0", "--", "true"]), 64);
    assert!(said.contains("permit"), "{said}");
}

#[test]
fn a_server_that_is_not_there_is_69() {
    // Nobody else gets the port, and nobody listens.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    drop(taken);
    for task in TASKS {
        for scheme in ["postgres", "mysql", "mariadb", "mssql"] {
            refused(|| dlock(&format!("{scheme}://app:word@127.0.0.1:{port}/app"), task), 69);
        }
    }
}

#[test]
fn a_database_that_is_not_there_is_69() {
    for Kind { url, .. } in kinds() {
        let (server, _) = url.rsplit_once('/').unwrap();
        for task in TASKS {
            refused(|| dlock(&format!("{server}/no_such_database"), task), 69);
        }
    }
}

#[test]
fn a_key_that_the_server_does_not_take_is_64() {
    let long = "x".repeat(65);
    for kind in kinds() {
        let is_taken = kind.member == "postgres";
        for task in ["run", "lead", "who", "free"] {
            let command: &[&str] =
                if ["run", "lead"].contains(&task) { &["--", "true"] } else { &[] };
            for key in [long.as_str(), ""] {
                let arguments = [&[task, key][..], command].concat();
                match is_taken {
                    true => assert!(output(dlock(kind.url, &arguments)).0 <= 1),
                    false => {
                        let said = refused(|| dlock(kind.url, &arguments), 64);
                        assert!(!said.contains("Key::"), "{said}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_mode_that_the_server_has_not_is_64() {
    for kind in &kinds()[1..] {
        let key = name("shared");
        let said = refused(|| dlock(kind.url, &["run", &key, "-s", "--", "true"]), 64);
        assert!(said.contains("shared"), "{said}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_64() {
    let url = crate::fixture::shared();
    for arguments in [
        &["lead"][..],
        &["lead", "key"],
        &["lead", "key", "--"],
        &["lead", "key", "--shared", "--", "true"],
        &["lead", "key", "--lease", "2s", "--", "true"],
        &["run", "key", "--permits", "0", "--", "true"],
        &["run", "key", "--permits", "many", "--", "true"],
        &["run", "key", "--permits", "2", "--fenced", "--", "true"],
        &["run", "key", "--shared", "--fenced", "--", "true"],
        &["run", "key", "-E", "256", "-n", "--", "true"],
        &["run", "key", "--leftovers", "keep", "--", "true"],
        &["run", "key", "--kill-after", "-1", "--", "true"],
        &["list", "key"],
        &["list", "--jsno"],
        &["who"],
        &["who", "one", "other"],
        &["free"],
        &["top", "--interval", "0"],
        &["top", "--interval", "10ms"],
        &["top", "--sort", "colour"],
        &["doctor", "now"],
        &["setup", "--json"],
        &["key"],
        &["completions"],
        &["list", "--url", "postgres://db/app", "--url-file", "/etc/hostname"],
        &["list", "--url-file", "/no/such/file"],
        &["list", "--url-file", "/dev/null"],
        &["list", "--url-file", "/"],
    ] {
        refused(|| dlock(url, arguments), 64);
    }
}

#[test]
fn a_live_list_wants_a_terminal() {
    let said = refused(|| dlock(crate::fixture::shared(), &["top"]), 64);
    assert!(said.contains("dlock list"), "{said}");
}

/// The stages of `dlock` itself are not for people.
#[test]
fn its_own_stages_are_not_run_by_hand() {
    for stage in ["guardian", "launch"] {
        for arguments in [&[stage][..], &[stage, "once"]] {
            let said = refused(|| dlock("", arguments), 64);
            assert!(said.contains("dlock run"), "{said}");
        }
    }
}
