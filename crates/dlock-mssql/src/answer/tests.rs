use super::{failed, granted, released};
use crate::Error;
use standin_mssql::Server;
use tiberius::error::{Error as Native, IoErrorKind};
use tiberius::{Client, Config};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncWriteCompatExt;

#[test]
fn every_code_has_its_meaning() {
    assert!(matches!(granted(0, ""), Ok(true)));
    assert!(matches!(granted(1, ""), Ok(true)));
    assert!(matches!(granted(-1, ""), Ok(false)));
    assert!(matches!(granted(-2, ""), Err(Error::Interrupted(None))));
    assert!(matches!(granted(-3, ""), Err(Error::Deadlock(None))));
    assert!(matches!(released(-999), Ok(false)), "it was not held");
    let refused = granted(-999, "why");
    assert!(matches!(refused, Err(Error::Refused { code: -999, meaning: "why" })));
}

#[test]
fn a_driver_that_gave_up_leaves_the_session_unusable() {
    let error = Native::Io { kind: IoErrorKind::TimedOut, message: String::new() };
    let outcome = failed(error);
    assert!(!outcome.usable && matches!(*outcome.answer.unwrap_err(), Error::Interrupted(Some(_))));
    let outcome = failed(Native::Protocol("".into()));
    assert!(!outcome.usable && matches!(*outcome.answer.unwrap_err(), Error::Driver(_)));
}

/// What the driver says when the server says this.
async fn said(batch: &str) -> Native {
    let server = Server::start().await.unwrap();
    let config = Config::from_ado_string(&server.url()).unwrap();
    let stream = TcpStream::connect(config.get_addr()).await.unwrap();
    let mut client = Client::connect(config, stream.compat_write()).await.unwrap();
    match client.simple_query(batch).await {
        Ok(stream) => stream.into_results().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test]
async fn an_error_of_the_servers_leaves_the_session_usable() {
    let outcome = failed(said("EXEC sp_releaseapplock N'x', 'Session'").await);
    assert!(outcome.usable);
    let Error::Lost(Some(error)) = *outcome.answer.unwrap_err() else {
        panic!("not lost");
    };
    assert_eq!(error.code(), Some(1223));
    let outcome = failed(said("SELECT 1 / 0").await);
    assert!(outcome.usable && matches!(*outcome.answer.unwrap_err(), Error::Driver(_)));
}
