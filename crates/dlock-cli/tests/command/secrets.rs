//! A password is never shown.

use crate::engines::{kinds, mariadb, mysql};
use crate::fixture::{children, dlock, name, output, run, shared, start, until_marked};
use dlock_testkit::server::Postgres;
use std::fs;
use std::io::Write;
use std::sync::OnceLock;

/// As it stands in a URL, and as it is.
const SECRETS: [&str; 2] = ["Tr0ub4dor%263", "Tr0ub4dor&3"];

fn is_hidden(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{text}");
    }
}

/// With this password in it.
fn with_password(url: &str, user: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, place) = rest.split_once('@').unwrap();
    format!("{scheme}://{user}:{}@{place}", SECRETS[0])
}

/// A server that asks for it.
fn asking() -> &'static str {
    static SERVER: OnceLock<(Postgres, String)> = OnceLock::new();
    let (_, url) = SERVER.get_or_init(|| {
        let rules =
            "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        let server = Postgres::start_with_rules(&[], rules).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(server.url(), tokio_postgres::NoTls).await.unwrap();
            tokio::spawn(connection);
            let text = format!("CREATE ROLE app SUPERUSER LOGIN PASSWORD '{}'", SECRETS[1]);
            client.batch_execute(&text).await.unwrap();
        });
        let url = with_password(server.url(), "app");
        (server, url)
    });
    url
}

#[test]
fn it_is_not_among_what_is_shown() {
    let key = name("secret");
    let mark = name("secret");
    let holder = start(run(asking(), &key, &[], &mark, "exec sleep 1000"));
    until_marked(&mark, 1);
    for arguments in [
        &["list"][..],
        &["list", "--json"],
        &["who", &key],
        &["who", &key, "--json"],
        &["doctor"],
        &["doctor", "--json"],
        &["setup"],
        &["free", &key],
        &["list", "--help"],
        &["--help"],
        &["man"],
        &["completions", "zsh"],
    ] {
        let (_, shown, said) = output(dlock(asking(), arguments));
        is_hidden(&shown);
        is_hidden(&said);
    }
    drop(holder);
}

#[test]
fn it_is_not_in_what_is_said_when_it_is_wrong() {
    let wrong = asking().replace("://app:", "://app2:");
    let many = [wrong, with_password(mysql(), "nobody"), with_password(mariadb(), "nobody")];
    for url in many {
        for task in [&["run", "key", "--", "true"][..], &["list"], &["doctor"], &["setup"]] {
            for backtrace in ["0", "full"] {
                let mut command = dlock(&url, task);
                command.env("RUST_BACKTRACE", backtrace).env("RUST_LOG", "trace");
                let (status, shown, said) = output(command);
                assert_eq!((status, shown.as_str()), (69, ""), "{said}");
                assert_eq!(said.matches('\n').count(), 1, "{said}");
                is_hidden(&said);
            }
        }
    }
}

#[test]
fn it_is_not_in_what_is_said_of_a_url_that_cannot_be() {
    let secret = SECRETS[0];
    for url in [
        format!("postgres://app:{secret}@db:port/app"),
        format!("postgres://app@db/app?password={secret}&sslmode=never"),
        format!("mysql://app:{secret}@db/app?no_such={secret}"),
        format!("mysql://app:{secret}@db:port/app"),
        format!("mssql://app:{secret}@db:port/app"),
        format!("oracle://app:{secret}@"),
        format!("gopher://app:{secret}@db/app"),
        format!("app:{secret}@db"),
    ] {
        let (status, _, said) = output(dlock(&url, &["list"]));
        assert_eq!((status, said.matches('\n').count()), (64, 1), "{said}");
        is_hidden(&said);
        // Where it does not belong it is not repeated either.
        for misplaced in [&["list", &url][..], &["list", &format!("--jsno={url}")], &[&url]] {
            is_hidden(&output(dlock(shared(), misplaced)).2);
        }
    }
}

/// Neither the environment nor the arguments of the command, of the guardian or of the last stage have it.
#[test]
fn processes_do_not_show_it() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", asking()).unwrap();
    let path = file.path().to_str().unwrap();
    let mark = name("secret");
    let by_file = ["--url-file", path];
    for (options, url) in [(&[][..], asking()), (&by_file[..], "postgres://elsewhere/app")] {
        let dlock = start(run(url, &name("secret"), options, &mark, "sleep 1000 & wait"));
        let guardian = dlock.guardian();
        let mut all = until_marked(&mark, 2);
        all.extend(children(guardian));
        all.push(guardian);
        for pid in all {
            let read = |what| {
                fs::read(format!("/proc/{}/{what}", pid.as_raw_nonzero())).unwrap_or_default()
            };
            is_hidden(&String::from_utf8_lossy(&read("environ")));
            is_hidden(&String::from_utf8_lossy(&read("cmdline")));
        }
        let arguments = fs::read(format!("/proc/{}/cmdline", dlock.pid().as_raw_nonzero()));
        is_hidden(&String::from_utf8_lossy(&arguments.unwrap()));
    }
}

#[test]
fn one_in_an_argument_is_warned_about() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", asking()).unwrap();
    let path = file.path().to_str().unwrap();
    let (status, _, said) = output(dlock("", &["list", "--url", asking()]));
    assert_eq!((status, said.matches('\n').count()), (0, 1), "{said}");
    assert!(said.contains("--url") && said.contains("DLOCK_URL"), "{said}");
    is_hidden(&said);
    let silent = String::new();
    assert_eq!(output(dlock("", &["list", "--url-file", path])).2, silent);
    assert_eq!(output(dlock(asking(), &["list"])).2, silent);
    for kind in kinds() {
        // There is no password in these.
        assert_eq!(output(dlock("", &["list", "--url", kind.url])).2, silent);
    }
}
