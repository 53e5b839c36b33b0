//! `dlock list`, `dlock who` and `dlock free`.

use crate::engines::{Kind, kinds};
use crate::fixture::{Running, dlock, name, output, run, shared, start, until_marked};
use crate::terminal::Terminal;
use dlock_postgres::{Key, Number};
use serde_json::Value;
use tokio_postgres::{Client, NoTls};

const FIELDS: [&str; 8] =
    ["application", "host", "key", "mode", "session", "since_seconds", "state", "user"];

/// A key that is held by one and waited for by another.
struct Scene {
    key: String,
    holder: Running,
    waiter: Running,
}

fn scene(kind: Kind) -> Scene {
    let (key, mark) = (name("seen"), name("seen"));
    let holder = start(run(kind.url, &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    let waiter = start(run(kind.url, &key, &[], "", "exit 5"));
    kind.rows(&key, if kind.tells_waiters { 2 } else { 1 });
    Scene { key, holder, waiter }
}

fn of_key<'a>(rows: &'a [Value], key: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["key"] == key).collect()
}

/// The names and the types of what programs read do not change.
fn is_a_row(row: &Value, state: &str) {
    let row = row.as_object().expect("an object");
    assert_eq!(Vec::from_iter(row.keys()), FIELDS);
    assert_eq!((&row["mode"], &row["state"]), (&"exclusive".into(), &state.into()));
    assert!(row["session"].as_str().is_some_and(|it| it.parse::<u64>().is_ok()), "{row:?}");
    assert!(row["user"].is_string() && row["host"].is_string(), "{row:?}");
    assert!(row["application"].is_string() || row["application"].is_null());
    let since = row["since_seconds"].as_f64().expect("a number");
    assert!((0.0..60.0).contains(&since), "{since}");
}

#[test]
fn programs_read_who_holds_and_who_waits() {
    for kind in kinds() {
        let scene = scene(kind);
        let count = if kind.tells_waiters { 2 } else { 1 };
        for arguments in [&["list"][..], &["who", &scene.key]] {
            let rows = kind.rows_of(arguments, &scene.key, count);
            is_a_row(&rows[0], "holds");
            rows.get(1).into_iter().for_each(|row| is_a_row(row, "waits"));
        }
    }
}

#[test]
fn people_read_who_holds_and_who_waits() {
    for kind in kinds() {
        let scene = scene(kind);
        let (key, name) = (kind.key(&scene.key), scene.key.as_str());
        for arguments in [&["list"][..], &["who", name]] {
            let (status, shown, said) = output(dlock(kind.url, arguments));
            assert_eq!((status, said.as_str()), (0, ""), "{}", kind.name);
            let mut lines = shown.lines();
            let header = Vec::from_iter(lines.next().unwrap().split_whitespace());
            let columns = "KEY MODE STATE SESSION USER HOST APPLICATION SINCE";
            assert_eq!(header.join(" "), columns);
            let row = lines.find(|line| line.contains(&key)).expect("a row");
            assert!(row.contains("exclusive") && row.contains("holds"), "{row}");
            // Who asked for a name is told by it.
            assert_eq!(row.contains(name), arguments.len() == 2 || key == name, "{row}");
        }
    }
}

#[test]
fn a_key_that_nobody_holds_is_1() {
    for kind in kinds() {
        let key = name("nobody");
        for arguments in [&["who", key.as_str()][..], &["free", &key], &["free", &key, "--yes"]] {
            let (status, shown, said) = output(dlock(kind.url, arguments));
            let expected = format!("dlock: nobody holds {key}\n");
            assert_eq!((status, shown.as_str(), said), (1, "", expected), "{}", kind.name);
        }
        assert_eq!(kind.json(&["who", &key]), (1, Vec::new()), "{}", kind.name);
    }
}

#[test]
fn who_is_freed_loses_its_lock_and_the_next_has_it() {
    for kind in kinds() {
        let mut scene = scene(kind);
        let (status, rows) = kind.json(&["free", &scene.key, "--yes"]);
        assert_eq!(status, 0, "{}", kind.name);
        is_a_row(of_key(&rows, &kind.key(&scene.key))[0], "holds");
        assert_eq!(scene.waiter.status(), 5, "{}", kind.name);
        assert_eq!(scene.holder.status(), 74, "{}", kind.name);
    }
}

#[test]
fn nobody_is_freed_without_an_answer() {
    let kind = kinds()[0];
    let scene = scene(kind);
    let (status, shown, said) = output(dlock(kind.url, &["free", &scene.key]));
    assert_eq!(status, 64);
    assert!(shown.contains(&scene.key) && said.contains("--yes"), "{shown} {said}");
    let (status, shown, said) = output(dlock(kind.url, &["free", &scene.key, "--json"]));
    assert_eq!((status, shown.as_str()), (64, ""), "a program reads nothing but JSON");
    assert!(said.contains(&scene.key) && said.contains("--yes"), "{said}");
    let mut terminal = Terminal::start(dlock(kind.url, &["free", &scene.key]), 100, 12);
    terminal.until(|screen| screen.contains("[y/N]"));
    terminal.types("n\r");
    assert_eq!(terminal.status(), 1);
    assert_eq!(kind.rows(&scene.key, 2)[0]["state"], "holds");
}

fn number(key: &str) -> i64 {
    let Number::Single(number) = Key::from(key).number() else { panic!("one number") };
    number
}

/// A session of somebody else's that holds two keys.
async fn hold_both(one: &str, other: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(shared(), NoTls).await.unwrap();
    tokio::spawn(connection);
    for key in [one, other] {
        client.query_one("SELECT pg_advisory_lock($1)", &[&number(key)]).await.unwrap();
    }
    client
}

#[test]
fn what_else_ends_is_shown_before() {
    let (kind, one, other) = (kinds()[0], name("one"), name("other"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(hold_both(&one, &other));
    let mut terminal = Terminal::start(dlock(kind.url, &["free", &one]), 140, 12);
    terminal.until(|screen| screen.contains("[y/N]"));
    let shown = terminal.screen();
    assert!(shown.contains(&format!("{one} ({})", number(&one))), "{shown}");
    assert!(shown.contains(&number(&other).to_string()), "{shown}");
    terminal.types("y\r");
    assert_eq!(terminal.status(), 0);
    assert!(runtime.block_on(client.simple_query("SELECT 1")).is_err());
    for key in [&one, &other] {
        assert_eq!(kind.json(&["who", key]), (1, Vec::new()));
    }
}

#[test]
fn those_who_hold_it_by_now_are_not_ended() {
    let kind = kinds()[0];
    let mut scene = scene(kind);
    let mut terminal = Terminal::start(dlock(kind.url, &["free", &scene.key]), 140, 12);
    terminal.until(|screen| screen.contains("[y/N]"));
    // The other holds it by the time the answer is given.
    scene.holder.signal(rustix::process::Signal::TERM);
    assert_eq!((scene.holder.status(), scene.waiter.status()), (143, 5));
    let mark = name("next");
    let mut next = start(run(kind.url, &scene.key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    terminal.types("y\r");
    assert_eq!(terminal.status(), 1);
    assert!(terminal.screen().contains("others hold it by now"));
    next.signal(rustix::process::Signal::TERM);
    assert_eq!(next.status(), 143);
}
