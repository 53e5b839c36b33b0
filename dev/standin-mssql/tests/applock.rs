//! Application locks through the real driver.

mod client;

use std::time::{Duration, Instant};

use client::{bound, connect, error, get, integer, locks, release, run, text, until};
use standin_mssql::Server;

const MODES: [&str; 5] = ["IntentShared", "Shared", "Update", "IntentExclusive", "Exclusive"];

#[tokio::test]
async fn every_pair_of_modes_answers_as_documented() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    let matrix = [
        [0, 0, 0, 0, -1],
        [0, 0, 0, -1, -1],
        [0, 0, -1, -1, -1],
        [0, -1, -1, 0, -1],
        [-1, -1, -1, -1, -1],
    ];
    for (held, row) in MODES.into_iter().zip(matrix) {
        assert_eq!(get(&mut one, "k", held, "Session", 0).await, 0);
        for (asked, expected) in MODES.into_iter().zip(row) {
            let code = get(&mut two, "k", asked, "Session", 0).await;
            assert_eq!(code, expected, "{held} {asked}");
            if code == 0 {
                assert_eq!(release(&mut two, "k", "Session").await.unwrap(), 0);
            }
        }
        release(&mut one, "k", "Session").await.unwrap();
    }
    assert_eq!(locks(&mut one, "GRANT").await, 0);
}

#[tokio::test]
async fn each_get_needs_its_release_and_one_more_is_error_1223() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    assert_eq!(get(&mut one, "k", "Update", "Session", 0).await, 0);
    assert_eq!(get(&mut one, "k", "Exclusive", "Session", -1).await, 0);
    assert_eq!(release(&mut one, "k", "Session").await.unwrap(), 0);
    let mode = text(&mut one, "SELECT APPLOCK_MODE('public', N'k', 'Session')").await;
    assert_eq!(mode, "Exclusive");
    assert_eq!(release(&mut one, "k", "Session").await.unwrap(), 0);
    let failed = release(&mut one, "k", "Session").await.unwrap_err();
    assert_eq!(failed.code(), Some(1223));
    assert!(failed.to_string().contains("Resource: 'k'"), "{failed}");
    assert_eq!(integer(&mut one, "SELECT 77").await.unwrap(), 77);
}

#[tokio::test]
async fn a_wait_ends_with_its_time_and_not_before() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    for wait in [1, 50, 300] {
        let begun = Instant::now();
        assert_eq!(get(&mut two, "k", "Shared", "Session", wait).await, -1);
        let spent = begun.elapsed();
        let asked = Duration::from_millis(u64::try_from(wait).unwrap());
        assert!(spent >= asked && spent < asked + Duration::from_millis(500), "{spent:?}");
    }
    assert_eq!(locks(&mut one, "WAIT").await, 0);
}

#[tokio::test]
async fn a_wait_that_is_served_says_so() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let waiting = tokio::spawn(async move { get(&mut two, "k", "Exclusive", "Session", -1).await });
    until(&mut one, "WAIT", 1).await;
    release(&mut one, "k", "Session").await.unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
}

#[tokio::test]
async fn the_default_time_is_the_sessions_lock_timeout() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let sql = "SET LOCK_TIMEOUT 30; DECLARE @r int; \
        EXEC @r = sp_getapplock N'k', 'Shared', 'Session'; SELECT @r + @@LOCK_TIMEOUT";
    assert_eq!(integer(&mut two, sql).await.unwrap(), 29);
}

#[tokio::test]
async fn crossed_waits_give_one_victim_that_keeps_what_it_had() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "a", "Exclusive", "Session", 0).await;
    get(&mut two, "b", "Exclusive", "Session", 0).await;
    let first = async {
        let code = get(&mut one, "b", "Exclusive", "Session", -1).await;
        release(&mut one, "a", "Session").await.unwrap();
        code
    };
    let second = async {
        let code = get(&mut two, "a", "Exclusive", "Session", -1).await;
        release(&mut two, "b", "Session").await.unwrap();
        code
    };
    let mut codes = tokio::join!(first, second);
    if codes.0 > codes.1 {
        codes = (codes.1, codes.0);
    }
    assert_eq!(codes, (-3, 1));
}

#[tokio::test]
async fn a_transactions_locks_end_with_it() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    assert_eq!(get(&mut one, "k", "Exclusive", "Transaction", 0).await, -999);
    assert_eq!(error(&mut one, "EXEC sp_releaseapplock N'k'").await, 3918);
    for end in ["COMMIT", "ROLLBACK"] {
        run(&mut one, "BEGIN TRAN").await.unwrap();
        assert_eq!(get(&mut one, "k", "Exclusive", "Transaction", 0).await, 0);
        assert_eq!(get(&mut two, "k", "Exclusive", "Session", 0).await, -1);
        run(&mut one, end).await.unwrap();
        assert_eq!(get(&mut two, "k", "Exclusive", "Session", 0).await, 0);
        release(&mut two, "k", "Session").await.unwrap();
    }
}

#[tokio::test]
async fn the_drivers_own_transactions_are_understood() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    get(&mut one, "s", "Exclusive", "Session", 0).await;
    one.begin_transaction().await.unwrap();
    assert_eq!(get(&mut one, "k", "Update", "Transaction", 0).await, 0);
    one.save_transaction("here").await.unwrap();
    run(&mut one, "ROLLBACK TRAN here").await.unwrap();
    assert_eq!(locks(&mut one, "GRANT").await, 2);
    one.rollback_transaction().await.unwrap();
    assert_eq!(locks(&mut one, "GRANT").await, 1);
    assert_eq!(integer(&mut one, "SELECT @@TRANCOUNT").await.unwrap(), 0);
}

#[tokio::test]
async fn bad_parameters_are_refused_as_on_the_server() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    for (arguments, number) in [
        ("NULL, 'Shared', 'Session'", 1224),
        ("N'x', 'Shared', 'Session', -2", 1227),
        ("N'x', 'Shared', 'Session', 0, 'nobody'", 1202),
        ("N'x'", 201),
        ("@Resource = N'x', @LockMode = 'Shared', @Bogus = 1", 8145),
        ("@Resource = N'x', 'Shared'", 119),
        ("N'x', 'Shared', 'Session', 0, 'public', 7", 8144),
    ] {
        let sql = format!("EXEC sp_getapplock {arguments}");
        assert_eq!(error(&mut one, &sql).await, number, "{sql}");
    }
    for arguments in ["N'x', 'Bogus', 'Session'", "N'x', 'Shared', 'Bogus'", "N'x', 'Shared'"] {
        let sql = format!("DECLARE @r int; EXEC @r = sp_getapplock {arguments}; SELECT @r");
        assert_eq!(integer(&mut one, &sql).await.unwrap(), -999, "{sql}");
    }
}

#[tokio::test]
async fn names_are_compared_as_they_are_and_cut_at_255() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    let long = "é".repeat(255);
    for name in ["key", "", "it's", "key ", long.as_str(), "🔒\u{0}"] {
        assert_eq!(get(&mut one, name, "Exclusive", "Session", 0).await, 0, "{name:?}");
        assert_eq!(get(&mut two, name, "Exclusive", "Session", 0).await, -1, "{name:?}");
    }
    assert_eq!(get(&mut two, "KEY", "Exclusive", "Session", 0).await, 0);
    let longer = format!("{long}more");
    assert_eq!(get(&mut two, &longer, "Exclusive", "Session", 0).await, -1);
}

#[tokio::test]
async fn functions_tell_what_is_held_and_what_could_be() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    get(&mut one, "k", "Shared", "Session", 0).await;
    let mode = "SELECT APPLOCK_MODE('public', @P1, 'Session')";
    let row = one.query(mode, &[&"k"]).await.unwrap().into_row().await.unwrap();
    assert_eq!(row.unwrap().get::<&str, _>(0), Some("Shared"));
    assert_eq!(text(&mut two, "SELECT APPLOCK_MODE('public', N'k', 'Session')").await, "NoLock");
    for (mode, free) in [("Update", 1), ("Exclusive", 0)] {
        let sql = "SELECT CAST(APPLOCK_TEST('public', @P1, @P2, 'Session') AS int)";
        assert_eq!(bound(&mut two, sql, &[&"k", &mode]).await.unwrap(), free);
    }
    let outside = "SELECT APPLOCK_MODE('public', N'k', 'Transaction')";
    assert_eq!(error(&mut one, outside).await, 3918);
}

#[tokio::test]
async fn an_observer_sees_who_holds_and_who_waits() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    let mut observer = connect(&server).await;
    get(&mut one, "a key to be seen", "Update", "Session", 0).await;
    get(&mut two, "a key to be seen", "Shared", "Session", 0).await;
    let spid = integer(&mut one, "SELECT CAST(@@SPID AS int)").await.unwrap();
    let converting =
        tokio::spawn(
            async move { get(&mut one, "a key to be seen", "Exclusive", "Session", -1).await },
        );
    until(&mut observer, "CONVERT", 1).await;
    let sql = "SELECT request_session_id FROM sys.dm_tran_locks WITH (NOLOCK) \
        WHERE request_status = 'CONVERT' AND request_mode = 'X' AND request_owner_type = 'SESSION' \
        AND resource_database_id = DB_ID() AND resource_description LIKE '0:[[]a key to be seen]:(%'";
    assert_eq!(integer(&mut observer, sql).await.unwrap(), spid);
    let sql = format!(
        "SELECT COUNT(*) FROM sys.dm_exec_requests WHERE session_id = {spid} \
         AND wait_type = 'LCK_M_X' AND blocking_session_id IN (SELECT session_id FROM sys.dm_exec_sessions)"
    );
    assert_eq!(integer(&mut observer, &sql).await.unwrap(), 1);
    release(&mut two, "a key to be seen", "Session").await.unwrap();
    assert_eq!(converting.await.unwrap(), 1);
}

#[tokio::test]
async fn a_rollback_to_a_savepoint_frees_what_was_granted_since() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    run(&mut one, "BEGIN TRAN").await.unwrap();
    get(&mut one, "before", "Update", "Transaction", 0).await;
    get(&mut one, "session", "Exclusive", "Session", 0).await;
    run(&mut one, "SAVE TRAN here").await.unwrap();
    get(&mut one, "before", "Exclusive", "Transaction", 0).await;
    get(&mut one, "since", "Exclusive", "Transaction", 0).await;
    let waiting =
        tokio::spawn(async move { get(&mut two, "since", "Exclusive", "Session", -1).await });
    let mut observer = connect(&server).await;
    until(&mut observer, "WAIT", 1).await;
    run(&mut one, "ROLLBACK TRAN here").await.unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
    until(&mut observer, "GRANT", 2).await; // the waiter's went with its client
    let mode = text(&mut one, "SELECT APPLOCK_MODE('public', N'before', 'Transaction')").await;
    assert_eq!(mode, "Exclusive", "a conversion is not undone");
    let session = text(&mut one, "SELECT APPLOCK_MODE('public', N'session', 'Session')").await;
    assert_eq!(session, "Exclusive", "the session's own");
}

#[tokio::test]
async fn a_procedure_called_by_a_databases_name_runs_there() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    run(&mut one, "USE tempdb").await.unwrap();
    assert_eq!(error(&mut one, "EXEC sp_releaseapplock N'k', 'Session'").await, 1223);
    let there = "DECLARE @r int, @p nvarchar(300) = QUOTENAME(DB_NAME(DB_ID('dlock'))) \
        + N'.sys.sp_releaseapplock'; EXEC @r = @p N'k', 'Session'; SELECT @r";
    assert_eq!(integer(&mut one, there).await.unwrap(), 0);
    assert_eq!(text(&mut one, "SELECT DB_NAME()").await, "tempdb");
    assert_eq!(locks(&mut one, "GRANT").await, 0);
    assert_eq!(error(&mut one, "EXEC nowhere.sys.sp_releaseapplock N'k', 'Session'").await, 2812);
}

#[tokio::test]
async fn a_closed_connection_is_seen_in_a_wait_and_not_in_another_statement() {
    let server = Server::start().await.unwrap();
    let mut observer = connect(&server).await;
    let mut holder = connect(&server).await;
    get(&mut holder, "waited for", "Exclusive", "Session", 0).await;
    let mut one = connect(&server).await;
    get(&mut one, "k", "Exclusive", "Session", 0).await;
    let later = "WAITFOR DELAY '00:00:00.3'; \
        EXEC sp_getapplock N'waited for', 'Shared', 'Session', -1";
    let begun = Instant::now();
    let statement = one.simple_query(later);
    assert!(tokio::time::timeout(Duration::from_millis(50), statement).await.is_err());
    drop(one);
    until(&mut observer, "GRANT", 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    assert_eq!(locks(&mut observer, "WAIT").await, 0);
}
