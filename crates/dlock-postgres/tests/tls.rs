//! TLS as a URL asks for it.

use dlock_locks::Error;
use dlock_postgres::tokio_postgres::config::SslMode;
use dlock_postgres::tokio_postgres::{Config, NoTls};
use dlock_postgres::{Locks, LocksError};
use dlock_testkit::server::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, OnceLock};
use tempfile::NamedTempFile;
use tokio_postgres_rustls::MakeRustlsConnect;

struct Fixture {
    server: Postgres,
    /// The authority's certificate, in PEM.
    authority: String,
}

/// A server whose certificate, of an authority that nobody knows, is for `localhost`.
fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let server = Postgres::start_with_tls(&certificate.pem(), &key.serialize_pem());
        Fixture { server: server.expect("a server with TLS"), authority: issuer.pem() }
    })
}

fn url(host: &str, parameters: &str) -> String {
    let port = fixture().server.port().expect("a private server");
    format!("postgres://postgres:secret@{host}:{port}/postgres?{parameters}")
}

/// The authority's certificate as a file.
fn authority() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(fixture().authority.as_bytes()).expect("it is written");
    file
}

/// A connector that trusts the authority.
fn connector() -> MakeRustlsConnect {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(fixture().authority.as_bytes());
    roots.add(certificate.expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    MakeRustlsConnect::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Whether the sessions named so are encrypted, all of them: there may be more than one.
async fn is_encrypted(name: &str) -> bool {
    let config: Config = fixture().server.url().parse().expect("a URL");
    let (client, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let look = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = $1";
    client.query_one(look, &[&name]).await.expect("an answer").get(0)
}

async fn connected(parameters: &str, name: &str) -> Locks {
    let url = url("localhost", &format!("{parameters}&application_name={name}"));
    let locks = Locks::connect(&url).await.expect("a session");
    let held = locks.lock("k").await.expect("a lock");
    held.release().await.expect("a release");
    locks
}

/// All that an error says.
fn said(error: &LocksError) -> String {
    let mut said = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        said.push_str(&format!("; {error}"));
        source = error.source();
    }
    assert!(!said.contains("secret"), "{said}");
    said
}

async fn refused(url: &str) -> String {
    let error = Locks::connect(url).await.expect_err("it is refused");
    assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
    said(&error)
}

#[tokio::test]
async fn disable_prefer_and_require_are_what_they_say() {
    for (mode, encrypted) in [("disable", false), ("prefer", true), ("require", true)] {
        let _locks = connected(&format!("sslmode={mode}"), mode).await;
        assert_eq!(is_encrypted(mode).await, encrypted, "{mode}");
    }
    let _locks = connected("connect_timeout=5", "unsaid").await;
    assert!(is_encrypted("unsaid").await);
}

#[tokio::test]
async fn an_unknown_authority_is_refused_where_it_is_looked_at() {
    for mode in ["verify-ca", "verify-full"] {
        let said = refused(&url("localhost", &format!("sslmode={mode}"))).await;
        assert!(said.contains("UnknownIssuer"), "{said}");
    }
}

#[tokio::test]
async fn a_known_authority_passes() {
    let file = authority();
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        let name = format!("known-{mode}");
        let parameters = format!("sslmode={mode}&sslrootcert={}", file.path().display());
        let _locks = connected(&parameters, &name).await;
        assert!(is_encrypted(&name).await);
    }
}

/// The certificate is for `localhost` alone.
#[tokio::test]
async fn a_wrong_name_is_refused_where_it_is_looked_at() {
    let file = authority();
    let parameters = |mode: &str| {
        url("127.0.0.1", &format!("sslmode={mode}&sslrootcert={}", file.path().display()))
    };
    let said = refused(&parameters("verify-full")).await;
    assert!(said.contains("NotValidForName"), "{said}");
    Locks::connect(parameters("verify-ca")).await.expect("no name is looked at");
    Locks::connect(parameters("require")).await.expect("no name is looked at");
}

#[tokio::test]
async fn a_file_without_certificates_is_an_error() {
    let said = refused(&url("localhost", "sslmode=verify-ca&sslrootcert=/dev/null")).await;
    assert!(said.contains("UnknownIssuer") || said.contains("no certificate"), "{said}");
    let said = refused(&url("localhost", "sslmode=verify-ca&sslrootcert=/nowhere")).await;
    assert!(said.contains("no certificate"), "{said}");
}

/// A connector of the user's own decides by itself.
#[tokio::test]
async fn a_connector_of_ones_own() {
    let mut config: Config = url("localhost", "").parse().expect("a URL");
    config.ssl_mode(SslMode::Require).application_name("own");
    let builder = Locks::builder(config.clone()).tls(connector());
    let _locks = builder.connect().await.expect("a session");
    assert!(is_encrypted("own").await);
    let error = Locks::builder(config).connect().await.expect_err("there is no TLS");
    said(&error);
    let mut elsewhere: Config = url("127.0.0.1", "").parse().expect("a URL");
    elsewhere.ssl_mode(SslMode::Require);
    let error =
        Locks::builder(elsewhere).tls(connector()).connect().await.expect_err("another name");
    assert!(said(&error).contains("NotValidForName"), "{error:?}");
}

/// A server without TLS.
#[tokio::test]
async fn require_does_not_go_without() {
    let server = Postgres::shared().expect("a PostgreSQL server");
    let said = refused(&format!("{}?sslmode=require", server.url())).await;
    assert!(said.contains("TLS"), "{said}");
    Locks::connect(format!("{}?sslmode=prefer", server.url())).await.expect("without TLS");
}
