//! `dlock doctor` and `dlock setup`.

use crate::engines::{Kind, kinds};
use crate::fixture::{dlock, name, output};
use dlock_testkit::server::{Engine, Maria, Mysql, PgBouncer, PostgreSql, Postgres};
use serde_json::Value;

fn is_a_finding(finding: &Value) {
    let finding = finding.as_object().expect("an object");
    let fields = ["advice", "name", "severity", "what", "why"];
    assert_eq!(Vec::from_iter(finding.keys()), fields);
    assert!(finding.values().all(|it| it.as_str().is_some_and(|text| !text.is_empty())));
    assert!(["fault", "warning", "note"].contains(&finding["severity"].as_str().unwrap()));
}

fn of(url: &'static str) -> Kind {
    Kind { name: "a server", url, member: "", tells_waiters: false }
}

#[test]
fn a_server_that_is_well_is_0() {
    for kind in kinds() {
        let (status, findings) = kind.json(&["doctor"]);
        findings.iter().for_each(is_a_finding);
        assert!(findings.iter().all(|it| it["severity"] != "fault"), "{}", kind.name);
        let (for_people, shown, said) = output(dlock(kind.url, &["doctor"]));
        assert_eq!((status, for_people, said.as_str()), (0, 0, ""), "{}", kind.name);
        assert_eq!(shown.lines().count(), findings.len().max(1), "{shown}");
        for finding in findings {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            let line = format!("{} ({}): {}", text("severity"), text("name"), text("what"));
            assert!(shown.contains(&line), "{shown}");
        }
    }
}

/// The names of the faults that are found.
fn faults(url: &'static str) -> Vec<String> {
    let (status, findings) = of(url).json(&["doctor"]);
    findings.iter().for_each(is_a_finding);
    assert_eq!((status, output(dlock(url, &["doctor"])).0), (1, 1), "{findings:?}");
    let faults = findings.iter().filter(|finding| finding["severity"] == "fault");
    faults.map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_server_on_which_locks_lie_is_1() {
    let standby = Box::leak(Box::new(Postgres::start_standby().unwrap()));
    assert!(faults(standby.url()).iter().any(|name| name == "standby"));
    let server = Box::leak(Box::new(PostgreSql::start(&[]).unwrap()));
    let pooler = Box::leak(Box::new(PgBouncer::start(server).unwrap()));
    assert!(faults(pooler.url()).iter().any(|name| name == "transaction-pooler"));
}

fn token(url: &str, key: &str) -> u64 {
    let script = ["run", key, "--fenced", "--", "sh", "-c", "echo $DLOCK_TOKEN"];
    let (status, shown, said) = output(dlock(url, &script));
    assert_eq!(status, 0, "{said}");
    shown.trim().parse().expect("a number")
}

#[test]
fn fences_are_had_after_the_setup() {
    let postgres = PostgreSql::start(&[]).unwrap();
    let (mysql, mariadb) = (Mysql::start(&[]).unwrap(), Maria::start(&[]).unwrap());
    for url in [postgres.url(), mysql.url(), mariadb.url()] {
        let key = name("fenced");
        let (status, shown, said) = output(dlock(url, &["run", &key, "--fenced", "--", "true"]));
        assert_eq!((status, shown.as_str()), (69, ""), "{said}");
        assert!(said.contains("dlock_bid") && said.matches('\n').count() == 1, "{said}");
        for _ in 0..2 {
            assert_eq!(output(dlock(url, &["setup"])), (0, String::new(), String::new()));
        }
        let tokens = [token(url, &key), token(url, &key), token(url, &key)];
        assert!(tokens.is_sorted() && tokens[0] < tokens[2], "{tokens:?}");
    }
}

#[test]
fn what_may_not_be_made_is_said() {
    let rules = "host all postgres 127.0.0.1/32 trust\nhost all plain 127.0.0.1/32 trust\n";
    let server = Postgres::start_with_rules(&[], rules).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(server.url(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let role = "CREATE ROLE plain LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC";
        client.batch_execute(role).await.unwrap();
    });
    let url = server.url().replace("postgres@", "plain@");
    let (status, shown, said) = output(dlock(&url, &["setup"]));
    assert_eq!((status, shown.as_str()), (69, ""), "{said}");
    assert_eq!(said.matches('\n').count(), 1, "{said}");
}
