//! The examples run, each against a real server or its stand-in.
#![cfg(all(feature = "postgres", feature = "mysql", feature = "mssql", feature = "oracle"))]

use dlock_testkit::server::{MySql, Postgres};
use std::path::PathBuf;
use std::process::Command;

/// Where cargo put the example, beside this test.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    profile.join("examples").join(name)
}

fn run(name: &str, variable: &str, url: &str) -> String {
    let output = Command::new(binary(name)).env(variable, url).output().expect("it was built");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {out}{err}");
    out.into_owned()
}

fn on_postgres(name: &str) -> String {
    run(name, "DLOCK_POSTGRES_URL", Postgres::shared().expect("a PostgreSQL server").url())
}

#[test]
fn billing() {
    let said = on_postgres("billing");
    assert!(said.contains("billed invoice 42") && said.contains("somebody else"), "{said}");
}

#[test]
fn scheduled_job() {
    let said = on_postgres("scheduled_job");
    assert_eq!(said.matches("writing the report").count(), 1, "{said}");
}

#[test]
fn busy_endpoint() {
    let said = on_postgres("busy_endpoint");
    assert!(said.contains("200 OK") && said.contains("409 Conflict"), "{said}");
}

#[test]
fn scope() {
    assert!(on_postgres("scope").contains("counted by nobody else"));
}

#[test]
fn readers_and_writers() {
    let said = on_postgres("readers_and_writers");
    assert!(said.contains("a writer gets in: false") && said.contains("exclusive"), "{said}");
}

#[test]
fn transaction() {
    assert!(on_postgres("transaction").starts_with("locked"));
}

#[test]
fn spawned() {
    assert!(on_postgres("spawned").contains("unlocked"));
}

#[test]
fn give_up() {
    let said = on_postgres("give_up");
    assert!(said.contains("gave up") && said.contains("the connection goes on: 77"), "{said}");
}

#[test]
fn no_guard() {
    let said = on_postgres("no_guard");
    assert!(said.contains("locked on key (7, 42)") && said.contains("unlocked"), "{said}");
}

#[test]
fn bb8_pool() {
    assert!(on_postgres("bb8_pool").contains("Guard"));
}

#[test]
fn mysql_protected() {
    let url = MySql::shared().expect("a MySQL server").url();
    assert!(run("mysql_protected", "DLOCK_MYSQL_URL", url).contains("42"));
}

#[test]
fn mssql_upgrade() {
    let url = std::env::var("DLOCK_MSSQL_URL").ok();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let standin = runtime.block_on(standin_mssql::Server::start()).expect("the stand-in");
    let said = run("mssql_upgrade", "DLOCK_MSSQL_URL", &url.unwrap_or_else(|| standin.url()));
    assert!(said.contains("the price is Some(42)"), "{said}");
    assert!(said.contains("writing, Exclusive: true"), "{said}");
}

/// Without a database given, the stand-in for its client library is found beside the tests.
#[test]
fn oracle_modes() {
    let url = std::env::var("DLOCK_ORACLE_URL").unwrap_or_else(|_| "me/secret@examples".to_owned());
    let libraries = binary("").join("../deps");
    let output = Command::new(binary("oracle_modes"))
        .env("DLOCK_ORACLE_URL", url)
        .env("LD_LIBRARY_PATH", libraries)
        .output()
        .expect("it was built");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("42 rows") && said.contains("held X, alone: true"), "{said}{wrong}");
}
