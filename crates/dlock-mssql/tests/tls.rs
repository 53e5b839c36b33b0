//! TLS as a URL asks for it, against the stand-in.

use dlock_locks::Error;
use dlock_mssql::{Locks, LocksError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use standin_mssql::Server;
use std::error::Error as _;
use std::io::Write;
use tempfile::NamedTempFile;

struct Fixture {
    server: Server,
    /// The authority's certificate, in a file.
    authority: NamedTempFile,
}

impl Fixture {
    /// A server whose certificate, of an authority that nobody knows, is for `localhost`.
    async fn start() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let server = Server::start_with_tls(&certificate.pem(), &key.serialize_pem()).await;
        let mut authority = NamedTempFile::with_suffix(".pem").expect("a file");
        authority.write_all(issuer.pem().as_bytes()).expect("it is written");
        Self { server: server.expect("a server with TLS"), authority }
    }

    fn url(&self, host: &str, parameters: &str) -> String {
        url(&self.server, host, parameters)
    }

    /// The parameters of a URL that trusts the authority.
    fn trusting(&self, more: &str) -> String {
        let authority = self.authority.path().display();
        format!("encrypt=true&trust_server_certificate_ca={authority}{more}")
    }
}

fn url(server: &Server, host: &str, parameters: &str) -> String {
    let port = server.addr().port();
    format!("mssql://sa:secret@{host}:{port}/dlock?{parameters}")
}

async fn is_had(url: &str) {
    let locks = Locks::connect(url).await;
    let locks = locks.unwrap_or_else(|error| panic!("{url}: {}", said(&error)));
    let held = locks.lock("k").await.expect("a lock");
    held.release().await.expect("a release");
    locks.close().await;
}

async fn refused(url: &str) -> String {
    let error = Locks::connect(url).await.expect_err("it is refused");
    assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
    said(&error)
}

/// All that an error says, without the password.
fn said(error: &LocksError) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        said.push_str(&format!("; {error}"));
        source = error.source();
    }
    let all = format!("{said} {error:?}");
    assert!(!all.contains("secret") && !said.contains('\n'), "{all}");
    said
}

#[tokio::test]
async fn the_certificate_is_verified_unless_it_is_said_not_to() {
    let fixture = Fixture::start().await;
    for parameters in ["", "encrypt=true", "encrypt=true&trust_server_certificate=false"] {
        let said = refused(&fixture.url("localhost", parameters)).await;
        assert!(said.contains("certificate"), "{parameters}: {said}");
    }
    for parameters in
        ["trust_server_certificate=true", "encrypt=true&trust_server_certificate=true"]
    {
        is_had(&fixture.url("localhost", parameters)).await;
        is_had(&fixture.url("127.0.0.1", parameters)).await;
    }
}

#[tokio::test]
async fn a_known_authority_passes_for_the_name_of_its_certificate() {
    let fixture = Fixture::start().await;
    is_had(&fixture.url("localhost", &fixture.trusting(""))).await;
    let said = refused(&fixture.url("127.0.0.1", &fixture.trusting(""))).await;
    assert!(said.contains("not valid for name"), "{said}");
    let named = fixture.trusting("&host_name_in_certificate=localhost");
    is_had(&fixture.url("127.0.0.1", &named)).await;
    let other = fixture.trusting("&host_name_in_certificate=elsewhere");
    let said = refused(&fixture.url("localhost", &other)).await;
    assert!(said.contains("not valid for name"), "{said}");
}

#[tokio::test]
async fn a_string_of_either_other_kind_says_the_same() {
    let fixture = Fixture::start().await;
    let (port, authority) = (fixture.server.addr().port(), fixture.authority.path().display());
    is_had(&format!(
        "Server=tcp:localhost,{port};Database=dlock;User Id=sa;Password=secret;Encrypt=true;\
         TrustServerCertificateCA={authority}"
    ))
    .await;
    is_had(&format!(
        "jdbc:sqlserver://localhost:{port};databaseName=dlock;user=sa;password=secret;encrypt=true;\
         trustServerCertificate=true"
    ))
    .await;
    refused(&format!(
        "Server=tcp:localhost,{port};Database=dlock;User Id=sa;Password=secret;Encrypt=true"
    ))
    .await;
}

#[tokio::test]
async fn a_file_without_certificates_is_an_error() {
    let fixture = Fixture::start().await;
    for path in ["/nowhere.pem", "/dev/null"] {
        let parameters = format!("encrypt=true&trust_server_certificate_ca={path}");
        refused(&fixture.url("localhost", &parameters)).await;
    }
}

#[tokio::test]
async fn what_asks_for_none_goes_in_the_clear() {
    let fixture = Fixture::start().await;
    is_had(&fixture.url("localhost", "encrypt=false")).await;
}

/// A server without TLS.
#[tokio::test]
async fn what_asks_for_tls_does_not_go_without() {
    let server = Server::start().await.expect("a server");
    for parameters in ["encrypt=true", "encrypt=true&trust_server_certificate=true"] {
        let said = refused(&url(&server, "localhost", parameters)).await;
        assert!(said.contains("encryption"), "{said}");
    }
    is_had(&url(&server, "localhost", "encrypt=false")).await;
}
