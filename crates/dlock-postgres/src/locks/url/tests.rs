use super::{Extras, Server};
use dlock_locks::UrlDriver;
use std::error::Error;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

fn config(url: &str) -> Config {
    let mut extras = Extras::default();
    let rest = if url.contains("://") { extras.split_url(url) } else { extras.split_pairs(url) };
    let mut config = rest.expect("a URL").parse().expect("a URL");
    extras.apply(&mut config);
    config
}

#[test]
fn several_hosts_and_what_they_are_to_be() {
    let config = config(
        "postgresql://app:p%40ss@one:5433,two/app?target_session_attrs=primary&sslmode=require\
         &options=-c%20geqo%3Doff&tcp_user_timeout=1500&keepalives_count=7&gssencmode=disable",
    );
    assert_eq!(config.get_hosts(), [Host::Tcp("one".into()), Host::Tcp("two".into())]);
    assert_eq!(config.get_ports(), [5433, 5432]);
    assert_eq!(config.get_password(), Some(b"p@ss".as_slice()));
    assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    assert_eq!(config.get_ssl_mode(), SslMode::Require);
    assert_eq!(config.get_options(), Some("-c geqo=off"));
    assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
    assert_eq!(config.get_keepalives_retries(), Some(7));
}

#[test]
fn pairs_are_a_url_too() {
    let config = config(r"user = app password='a \' b\\=c' dbname=app sslmode=disable port=5433");
    assert_eq!(config.get_user(), Some("app"));
    assert_eq!(config.get_password(), Some(br"a ' b\=c".as_slice()));
    assert_eq!(config.get_hosts(), [Host::Tcp("localhost".into())]);
    assert_eq!(config.get_ssl_mode(), SslMode::Disable);
}

/// What no server is named by, and what is said of it.
const WRONG: [(&str, &str); 19] = [
    ("", "cannot be read"),
    ("postgres", "cannot be read"),
    ("mysql://u:secret@h/d", "postgres://"),
    ("postgres://u:secret@h:port/d", "`port`"),
    ("postgres://u:secret@h:99999/d", "`port`"),
    ("postgres://u:secret@h/d?sslmode=maybe", "`sslmode`"),
    ("postgres://u:secret@h/d?sslmode=allow", "sslmode=allow"),
    ("postgres://u:secret@h/d?sslcert=me.pem", "`sslcert`"),
    ("postgres://u:secret@h/d?service=x", "`service`"),
    ("postgres://u:secret@h/d?gssencmode=require", "`gssencmode`"),
    ("postgres://u:secret@h/d?target_session_attrs=standby", "target_session_attrs"),
    ("postgres://u:secret@h/d?target_session_attrs=read-only", "target_session_attrs"),
    ("postgres://u:p?secret=1@h/d", "libpq does not know"),
    ("postgres://u:p?secret@h/d", "cannot be read"),
    ("host=h password=a secret=b", "libpq does not know"),
    ("host=h password='secret", "cannot be read"),
    ("host=h password=a secret", "cannot be read"),
    ("postgres://u:secret@h/d?connect_timeout=soon", "`connect_timeout`"),
    ("postgres://u:secret@h/d?tcp_user_timeout=soon", "`tcp_user_timeout`"),
];

/// A sentence each, which says what it is and shows no piece of a password.
#[test]
fn what_cannot_be_is_named() {
    for (url, named) in WRONG {
        let error = Server::from_url(url).expect_err(url);
        let said = format!("{error} {error:?} {:?}", error.source());
        assert!(said.contains(named), "{url}: {said}");
        assert!(!said.contains("secret"), "{url}: {said}");
    }
}

#[cfg(not(feature = "rustls"))]
#[test]
fn tls_needs_a_feature() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = Server::from_url(&format!("postgres://u:secret@h/d?sslmode={mode}"));
        assert!(error.expect_err(mode).to_string().contains("the feature `rustls`"));
    }
    Server::from_url("postgres://u@h/d?sslmode=prefer").expect("without TLS");
}
