//! The examples run, each against a real server or its stand-in; and what they protect breaks without the
//! lock.
#![cfg(all(feature = "memory", feature = "postgres", feature = "mysql"))]
#![cfg(all(feature = "mssql", feature = "oracle"))]

use dlock_db::postgres::tokio_postgres::{self, Client, NoTls};
use dlock_testkit::server::{MySql, Postgres};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};

/// Where cargo put the example, beside this test.
fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let profile = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    profile.join("examples").join(name)
}

fn run(name: &str, arguments: &[&str], variable: &str, url: &str) -> String {
    let output = Command::new(binary(name)).args(arguments).env(variable, url).output();
    let output = output.expect("it was built");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {out}{err}");
    out.into_owned()
}

fn postgres() -> &'static str {
    Postgres::shared().expect("a PostgreSQL server").url()
}

fn on_postgres(name: &str) -> String {
    run(name, &[], "DLOCK_POSTGRES_URL", postgres())
}

/// What it says without the lock.
fn broken(name: &str, variant: &str) -> String {
    run(name, &[variant], "DLOCK_POSTGRES_URL", postgres())
}

#[test]
fn endpoint() {
    assert_ne!(broken("endpoint", "unlocked"), "sold 3 of 3 books\n");
    assert_eq!(on_postgres("endpoint"), "sold 3 of 3 books\n");
}

#[test]
fn invoices() {
    let said = broken("invoices", "unlocked");
    assert!(said.starts_with("20 invoices, ") && said != "20 invoices, 20 charges\n", "{said}");
    assert_eq!(on_postgres("invoices"), "20 invoices, 20 charges\n");
}

/// A lock without a row, and a row without a lock, each do it again.
#[test]
fn scheduled_job() {
    let written = |said: String| said.matches("writing the report").count();
    assert_eq!(written(broken("scheduled_job", "lock_only")), 3);
    assert!(written(broken("scheduled_job", "row_only")) > 1);
    assert_eq!(written(on_postgres("scheduled_job")), 1);
}

#[test]
fn leader() {
    let said = broken("leader", "unlocked");
    assert!(!said.ends_with("12 ticks, written 12 times\n"), "{said}");
    let said = on_postgres("leader");
    assert!(said.ends_with("12 ticks, written 12 times\n"), "{said}");
    assert!(["a led", "b led", "c led"].iter().any(|led| said.contains(led)), "{said}");
    assert!(said.contains(" leads"), "{said}");
}

/// What is begun and not done when it has ended.
fn orders_half_done(arguments: &[&str]) -> (ExitStatus, i64) {
    let mut client = runtime_client();
    client.run("DROP TABLE IF EXISTS example_order");
    let mut child = Command::new(binary("shutdown"))
        .args(arguments)
        .env("DLOCK_POSTGRES_URL", postgres())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was built");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.next().expect("a line").expect("UTF-8"), "working");
    while client.count("SELECT count(*) FROM example_order WHERE begun = 1") == 0 {}
    let signalled = Command::new("kill").arg(child.id().to_string()).status();
    assert!(signalled.expect("kill").success());
    let status = child.wait().expect("an end");
    (status, client.count("SELECT count(*) FROM example_order WHERE done IS NULL"))
}

/// A client in a runtime of its own.
struct Plain(tokio::runtime::Runtime, Client);

fn runtime_client() -> Plain {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (client, connection) =
        runtime.block_on(tokio_postgres::connect(postgres(), NoTls)).expect("a connection");
    runtime.spawn(connection);
    Plain(runtime, client)
}

impl Plain {
    fn run(&mut self, statement: &str) {
        self.0.block_on(self.1.batch_execute(statement)).expect("it runs");
    }

    fn count(&mut self, query: &str) -> i64 {
        self.0.block_on(self.1.query_one(query, &[])).expect("a row").get(0)
    }
}

#[test]
fn shutdown() {
    let (status, left) = orders_half_done(&["unhandled"]);
    assert_eq!((status.success(), left), (false, 1));
    let (status, left) = orders_half_done(&[]);
    assert_eq!((status.success(), left), (true, 0));
}

#[test]
fn in_memory() {
    assert_eq!(run("in_memory", &[], "DLOCK_MEMORY", ""), "both tests hold\n");
    let broken = Command::new(binary("in_memory")).arg("unlocked").output().expect("it was built");
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(!broken.status.success() && said.contains("4 of 2 seats"), "{said}");
}

#[test]
fn three_at_a_time() {
    assert_eq!(broken("three_at_a_time", "unlocked"), "at most 12 at a time\n");
    assert_eq!(on_postgres("three_at_a_time"), "at most 3 at a time\n");
}

#[test]
fn transfer() {
    let said = broken("transfer", "unlocked");
    assert_ne!(said, "[100, 120, 80]\n");
    assert_eq!(on_postgres("transfer"), "[100, 120, 80]\n");
}

#[test]
fn fenced_payment() {
    let said = broken("fenced_payment", "unfenced");
    assert_eq!(said, "the stale holder paid\npaid 2 times\n");
    let said = on_postgres("fenced_payment");
    assert!(said.starts_with("refused: ") && said.ends_with("paid 1 times\n"), "{said}");
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
fn mysql_protected() {
    let url = MySql::shared().expect("a MySQL server").url();
    assert!(run("mysql_protected", &[], "DLOCK_MYSQL_URL", url).contains("42"));
}

#[test]
fn mssql_upgrade() {
    let url = std::env::var("DLOCK_MSSQL_URL").ok();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let standin = runtime.block_on(standin_mssql::Server::start()).expect("the stand-in");
    let said = run("mssql_upgrade", &[], "DLOCK_MSSQL_URL", &url.unwrap_or_else(|| standin.url()));
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
