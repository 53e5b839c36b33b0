use crate::server::config;
use crate::{in_time, locks};
use dlock_locks::Error;
use dlock_mssql::{Locks, Server, ServerError};
use std::error::Error as _;

/// All that an error says, with what is behind it.
fn said(error: &Error<ServerError>) -> String {
    let mut all = format!("{error:?} {error}");
    let mut source = error.source();
    while let Some(error) = source {
        all.push_str(&format!(" {error}"));
        source = error.source();
    }
    assert!(!all.contains("s3cret"), "{all}");
    all
}

pub(crate) async fn no_server() {
    for url in [
        "mssql://sa:s3cret@127.0.0.1:1/none?encrypt=false",
        "Server=tcp:127.0.0.1,1;Database=none;User Id=sa;Password=s3cret;Encrypt=DANGER_PLAINTEXT",
    ] {
        let error = in_time(Locks::connect(url)).await.expect_err("nobody listens");
        assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
        said(&error);
        let server: Server = dlock_locks::UrlDriver::from_url(url).expect("a server");
        assert!(!format!("{server:?}").contains("s3cret"));
        let locks = Locks::builder(server).build().expect("a thread");
        let error = in_time(locks.lock("k")).await.expect_err("nobody listens");
        assert!(matches!(error, Error::NoSession { source: Some(_), .. }), "{error:?}");
        said(&error);
    }
}

pub(crate) async fn a_wrong_string() {
    let error =
        in_time(Locks::connect("mysql://sa:s3cret@db/none")).await.expect_err("another server");
    assert!(said(&error).contains("its scheme is `mysql`"), "{}", said(&error));
}

pub(crate) async fn a_wrong_database() {
    let mut config = config().await;
    config.database("dlock has no such database");
    let error = in_time(Locks::builder(config).connect()).await.expect_err("there is none");
    assert!(matches!(error, Error::NotConnected { source: Some(_) }), "{error:?}");
    said(&error);
    in_time(locks().await.close()).await;
}
