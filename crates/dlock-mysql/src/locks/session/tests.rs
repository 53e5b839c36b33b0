use super::ServerSession;
use crate::Key;
use crate::statement::batch::folded;
use dlock_locks::{Ask, Mode, Session, What};
use dlock_testkit::server::{Engine, Maria, Mysql, Server};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};
use std::time::Duration;

async fn session<E: Engine>() -> ServerSession {
    let opts = Opts::from_url(Server::<E>::shared().unwrap().url()).unwrap();
    let conn = Conn::new(opts.clone()).await.unwrap();
    ServerSession::new(conn, opts, Duration::from_millis(3500)).await.unwrap()
}

fn key(text: &str) -> Key {
    Key::try_from(format!("{text} {}", std::process::id())).unwrap()
}

async fn run(session: &ServerSession, asks: &[(What, &str)]) -> Vec<bool> {
    let ask =
        |(what, text): &(What, &str)| Ask { what: *what, key: key(text), mode: Mode::Exclusive };
    session.run(&Vec::from_iter(asks.iter().map(ask))).await.unwrap()
}

async fn number(session: &ServerSession, text: &str) -> Option<u64> {
    session.conn.lock().await.query_first::<Option<u64>, _>(text).await.unwrap().unwrap()
}

async fn is_held(session: &ServerSession, text: &str) -> bool {
    let key = key(text);
    number(session, &format!("SELECT IS_USED_LOCK('{key}')")).await == Some(session.id)
}

/// What was interrupted is undone, and a twin of it that is held stays held.
#[tokio::test]
async fn an_undo_lets_go_of_what_is_held_and_of_no_twin() {
    let session = session::<Mysql>().await;
    assert_eq!(run(&session, &[(What::Try, "Jób"), (What::Try, "jÓB")]).await, [true, false]);
    // By an answer that nobody saw.
    let lost = key("lóst");
    number(&session, &format!("SELECT GET_LOCK('{lost}',0)")).await;
    run(&session, &[(What::Try, "jÓB"), (What::Undo, "jÓB"), (What::Undo, "lóst")]).await;
    assert!(is_held(&session, "Jób").await && !is_held(&session, "lóst").await);
    assert_eq!(run(&session, &[(What::Try, "jÓB"), (What::Release, "Jób")]).await, [true, true]);
    assert!(is_held(&session, "Jób").await, "by the other spelling");
    run(&session, &[(What::Undo, "jÓB")]).await;
    assert!(!is_held(&session, "Jób").await);
}

/// MariaDB knows a name by its bytes.
#[tokio::test]
async fn names_of_other_bytes_are_other_locks() {
    let session = session::<Maria>().await;
    assert_eq!(run(&session, &[(What::Try, "Jób"), (What::Try, "jÓB")]).await, [true, true]);
    run(&session, &[(What::Undo, "jÓB"), (What::Release, "nobody's")]).await;
    assert!(is_held(&session, "Jób").await && !is_held(&session, "jÓB").await);
}

/// Each character that a name may have.
#[tokio::test]
async fn mysql_folds_names_as_it_is_told_here() {
    let session = session::<Mysql>().await;
    let characters = Vec::from_iter((1..=0xffff).filter_map(char::from_u32));
    for some in characters.chunks(1000) {
        let keys = Vec::from_iter(some.iter().map(|it| key(&it.to_string())));
        let ask = |key: &Key| Ask { what: What::Try, key: key.clone(), mode: Mode::Exclusive };
        let granted = session.run(&Vec::from_iter(keys.iter().map(ask))).await.unwrap();
        let names = keys.iter().map(|key| format!("SELECT {} n", folded(key)));
        let names = Vec::from_iter(names).join(" UNION ALL ");
        let distinct = format!("SELECT COUNT(DISTINCT n) FROM ({names}) names");
        let granted = granted.iter().filter(|it| **it).count();
        assert_eq!(number(&session, &distinct).await, u64::try_from(granted).ok(), "{some:?}");
        number(&session, "SELECT RELEASE_ALL_LOCKS()").await;
        session.held.borrow_mut().clear();
    }
}

/// A lease of three and a half seconds is trusted for longer than three.
#[tokio::test]
async fn a_lease_is_rounded_up_to_seconds() {
    for session in [session::<Mysql>().await, session::<Maria>().await] {
        assert!(session.has_lease());
        assert_eq!(number(&session, "SELECT @@SESSION.wait_timeout").await, Some(4));
    }
}

/// The server's name is one for all sessions of its run, at whatever part of a second they begin.
#[tokio::test]
async fn a_server_is_told_from_others() {
    let (mysql, maria) = (session::<Mysql>().await, session::<Maria>().await);
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(90)).await;
        assert_eq!(session::<Mysql>().await.server(), mysql.server());
        assert_eq!(session::<Maria>().await.server(), maria.server());
    }
    assert_ne!(mysql.server(), maria.server());
}
