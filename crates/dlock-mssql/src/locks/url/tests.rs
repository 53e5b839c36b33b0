use super::parse;
use crate::locks::ServerError;
use std::error::Error as _;

fn refused(text: &str) -> String {
    let error = parse(text).map(drop).expect_err("nothing that names a server");
    let source = error.source().map(ToString::to_string).unwrap_or_default();
    let said = format!("{error} {error:?} {source}");
    assert!(!said.contains("s3cret"), "{said}");
    match error {
        ServerError::Url(what) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn servers_are_named_in_three_ways() {
    for text in [
        "mssql://sa:s3cret@db:1444/billing",
        " SQLSERVER://sa:s3%20cret@db:1444/billing?encrypt=false&trust_server_certificate=true",
        "mssql://db:1444?database=billing&TrustServerCertificate=no",
        "server=tcp:db,1444;database=billing;user id=sa;password=s3cret",
        "Data Source=db,1444;Pwd='s3cr;et'",
        "jdbc:sqlserver://db:1444;database=billing;user=sa;password=s3cret",
    ] {
        assert_eq!(parse(text).expect(text).get_addr(), "db:1444", "{text}");
    }
    assert_eq!(parse("mssql://db").expect("a host").get_addr(), "db:1433");
    assert_eq!(parse(r"server=db\reports").expect("an instance").get_addr(), "db:1434");
}

/// What names no server, and what is said of it.
const WRONG: [(&str, &str); 15] = [
    ("", "names no server"),
    ("s3cret", "names no server"),
    ("database=billing;password=s3cret", "names no server"),
    ("postgres://sa:s3cret@db/billing", "its scheme is `postgres`"),
    ("mssql://", "no host"),
    ("mssql:///billing", "no host"),
    ("mssql://sa:s3cret@db:port/billing", "no URL"),
    ("mssql://sa:s3cret%ff@db/billing", "not UTF-8"),
    ("mssql://sa:s3cret@db?encrypt=perhaps", "`encrypt` is neither"),
    ("mssql://sa:s3cret@db?trust_server_certificate=1&trustServerCertificateCA=ca.pem", "one of"),
    ("mssql://sa:s3cret@db?pasword=s3cret", "`pasword` is not known"),
    ("server=db;password='s3cret", "no ADO string"),
    ("server=db,port;password=s3cret", "no ADO string"),
    ("server=db;password=s3cret;trustservercertificate=perhaps", "no ADO string"),
    ("jdbc:sqlserver://db:s3cret", "no JDBC string"),
];

#[test]
fn what_names_none_is_refused_in_one_sentence() {
    for (text, part) in WRONG {
        let what = refused(text);
        assert!(what.contains(part), "{text}: {what}");
        assert!(!what.contains('\n') && !what.ends_with('.'), "{what}");
    }
}

/// Where this build has no TLS, a string that asks for it is not taken for one that does not.
#[cfg(not(feature = "rustls"))]
#[test]
fn encryption_that_cannot_be_had_is_refused() {
    for text in [
        "mssql://sa:s3cret@db?encrypt=true",
        "server=db;password=s3cret;encrypt=true",
        "jdbc:sqlserver://db;encrypt=true;password=s3cret",
    ] {
        let what = refused(text);
        assert!(what.contains("`rustls`"), "{what}");
    }
}

#[cfg(feature = "rustls")]
#[test]
fn encryption_may_be_asked_for() {
    parse("mssql://sa:s3cret@db?encrypt=true").expect("a server");
    parse("server=db;password=s3cret;encrypt=true").expect("a server");
}
