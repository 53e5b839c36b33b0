//! TLS as a URL asks for it.

use dlock_locks::Error;
use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Opts, OptsBuilder, SslOpts};
use dlock_mysql::{Locks, LocksError};
use dlock_testkit::server::{Engine, Maria, Mysql, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::error::Error as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::time::sleep;

/// What every server of a test shows: of an authority that nobody knows, for `localhost`.
struct Certificates {
    _room: TempDir,
    authority: String,
    paths: [String; 3],
}

impl Certificates {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate").pem();
        let room = TempDir::new().expect("a directory");
        fs::set_permissions(room.path(), Permissions::from_mode(0o755)).expect("all may look");
        let texts = [issuer.pem(), certificate, key.serialize_pem()];
        let paths = ["ca.pem", "cert.pem", "key.pem"].map(|name| room.path().join(name));
        for (path, text) in paths.iter().zip(&texts) {
            fs::write(path, text).expect("it is written");
            fs::set_permissions(path, Permissions::from_mode(0o644)).expect("all may read");
        }
        let paths = paths.map(|path| path.display().to_string());
        Self { _room: room, authority: issuer.pem(), paths }
    }
}

/// A server with TLS, and two accounts whose password is `secret`: `ciphered` is let in by TLS alone.
struct Fixture<E: Engine> {
    server: Server<E>,
    certificates: Certificates,
}

impl<E: Engine> Fixture<E> {
    async fn start() -> Self {
        let certificates = Certificates::new();
        let [authority, certificate, key] = &certificates.paths;
        let settings = [("ssl-ca", &**authority), ("ssl-cert", certificate), ("ssl-key", key)];
        let fixture = Self { server: started::<E>(&settings).await, certificates };
        let require = "ALTER USER ciphered REQUIRE SSL";
        fixture.admin().await.query_drop(require).await.expect("an account");
        fixture
    }

    async fn admin(&self) -> Conn {
        admin(&self.server).await
    }

    fn url(&self, host: &str, parameters: &str) -> String {
        let port = self.server.port().expect("a private server");
        format!("mysql://ciphered:secret@{host}:{port}?{parameters}")
    }

    async fn connected(&self, host: &str, parameters: &str) {
        let locks = Locks::connect(self.url(host, parameters)).await;
        is_had(&locks.unwrap_or_else(|error| panic!("{parameters}: {}", said(&error)))).await;
    }

    async fn refused(&self, host: &str, parameters: &str) -> String {
        refused(&self.url(host, parameters)).await
    }

    /// The options of a URL, with this authority beside.
    fn trusting(&self, host: &str, ssl: SslOpts) -> OptsBuilder {
        let authority = self.certificates.authority.clone().into_bytes();
        let ssl = ssl.with_root_certs(vec![authority.into()]);
        let opts = Opts::from_url(&self.url(host, "")).expect("a URL");
        OptsBuilder::from_opts(opts).ssl_opts(ssl)
    }
}

async fn started<E: Engine>(settings: &[(&str, &str)]) -> Server<E> {
    let server = Server::<E>::start(settings).expect("a server");
    let mut admin = admin(&server).await;
    let account = "CREATE USER ciphered IDENTIFIED BY 'secret'";
    admin.query_drop(account).await.expect("an account");
    server
}

async fn admin<E: Engine>(server: &Server<E>) -> Conn {
    Conn::new(Opts::from_url(server.url()).expect("a URL")).await.expect("a connection")
}

async fn is_had(locks: &Locks) {
    let held = locks.lock("k").await.expect("a lock");
    held.release().await.expect("a release");
}

async fn refused(url: &str) -> String {
    let error = Locks::connect(url).await.expect_err("it is refused");
    assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
    said(&error)
}

/// All that an error says: sentences of one line each, without the password.
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

async fn the_url_says_whether_it_is_ciphered<E: Engine>() {
    let fixture = Fixture::<E>::start().await;
    fixture.connected("localhost", "require_ssl=true&verify_ca=false").await;
    fixture.connected("127.0.0.1", "require_ssl=true&verify_ca=false").await;
    for plain in ["", "require_ssl=false", "verify_ca=false"] {
        let said = fixture.refused("localhost", plain).await;
        assert!(said.contains("1045") || said.contains("Access denied"), "{plain}: {said}");
    }
}

async fn an_unknown_authority_is_refused<E: Engine>() {
    let fixture = Fixture::<E>::start().await;
    for parameters in ["", "&verify_identity=false", "&verify_ca=true&verify_identity=true"] {
        let said = fixture.refused("localhost", &format!("require_ssl=true{parameters}")).await;
        assert!(said.contains("UnknownIssuer"), "{parameters}: {said}");
    }
}

async fn a_name_is_looked_at<E: Engine>() {
    let fixture = Fixture::<E>::start().await;
    let known = fixture.trusting("localhost", SslOpts::default());
    is_had(&Locks::builder(known).connect().await.expect("the certificate is for that name")).await;
    let wrong = fixture.trusting("127.0.0.1", SslOpts::default());
    let error = Locks::builder(wrong).connect().await.expect_err("it is for `localhost`");
    assert!(said(&error).contains("not valid for name"), "{}", said(&error));
    // The driver looks for words that rustls does not say any more, and so stays on the safe side.
    let any = SslOpts::default().with_danger_skip_domain_validation(true);
    let any = Locks::builder(fixture.trusting("127.0.0.1", any)).connect().await;
    let error = any.expect_err("`verify_identity=false` is not heard");
    assert!(said(&error).contains("not valid for name"), "{}", said(&error));
}

/// The connection that ends a dropped wait is ciphered too.
async fn a_dropped_wait_leaves_nothing<E: Engine>() {
    let fixture = Fixture::<E>::start().await;
    let mut admin = fixture.admin().await;
    let taken: Option<u8> = admin.query_first("SELECT GET_LOCK('k', 0)").await.expect("a row");
    assert_eq!(taken, Some(1));
    let opts = Opts::from_url(&fixture.url("localhost", "require_ssl=true&verify_ca=false"));
    let locks = Locks::builder(opts.expect("a URL")).connect().await.expect("a session");
    let wait = tokio::spawn({
        let locks = locks.clone();
        async move { locks.lock("k").await.map(drop) }
    });
    until_waiting(&mut admin, 1).await;
    wait.abort();
    until_waiting(&mut admin, 0).await;
    locks.close().await;
}

async fn until_waiting(admin: &mut Conn, count: u64) {
    let waiters = "SELECT COUNT(*) FROM information_schema.processlist WHERE state = 'User lock'";
    let begun = Instant::now();
    while admin.query_first(waiters).await.expect("a row") != Some(count) {
        assert!(begun.elapsed() < Duration::from_secs(10), "not {count} who wait");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A server without TLS.
async fn what_asks_for_tls_does_not_go_without<E: Engine>(none: &[(&str, &str)]) {
    let server = started::<E>(none).await;
    let port = server.port().expect("a private server");
    let url = format!("mysql://ciphered:secret@localhost:{port}");
    refused(&format!("{url}?require_ssl=true&verify_ca=false")).await;
    is_had(&Locks::connect(url).await.expect("without TLS")).await;
}

#[tokio::test]
async fn mysql_is_ciphered_where_the_url_says_so() {
    the_url_says_whether_it_is_ciphered::<Mysql>().await;
}

#[tokio::test]
async fn mariadb_is_ciphered_where_the_url_says_so() {
    the_url_says_whether_it_is_ciphered::<Maria>().await;
}

#[tokio::test]
async fn mysql_of_an_unknown_authority_is_refused() {
    an_unknown_authority_is_refused::<Mysql>().await;
}

#[tokio::test]
async fn mariadb_of_an_unknown_authority_is_refused() {
    an_unknown_authority_is_refused::<Maria>().await;
}

#[tokio::test]
async fn mysql_of_another_name_is_refused() {
    a_name_is_looked_at::<Mysql>().await;
}

#[tokio::test]
async fn mariadb_of_another_name_is_refused() {
    a_name_is_looked_at::<Maria>().await;
}

#[tokio::test]
async fn a_dropped_wait_on_mysql_leaves_nothing() {
    a_dropped_wait_leaves_nothing::<Mysql>().await;
}

#[tokio::test]
async fn a_dropped_wait_on_mariadb_leaves_nothing() {
    a_dropped_wait_leaves_nothing::<Maria>().await;
}

#[tokio::test]
async fn mysql_without_tls_is_refused() {
    what_asks_for_tls_does_not_go_without::<Mysql>(&[("tls-version", "")]).await;
}

#[tokio::test]
async fn mariadb_without_tls_is_refused() {
    what_asks_for_tls_does_not_go_without::<Maria>(&[("skip-ssl", "1")]).await;
}
