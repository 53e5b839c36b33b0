//! The language, through the real driver.

mod client;

use client::{bound, connect, error, integer, run, text};
use standin_mssql::Server;

#[tokio::test]
async fn batches_are_run_for_what_they_say() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    for (sql, expected) in [
        ("SELECT 77", 77),
        ("select /* one */ 1 + 2 * 3 -- seven", 7),
        ("DECLARE @a int = 2, @b int; SET @b = @a * 5; SELECT @b AS b", 10),
        ("DECLARE @a int; SELECT @a = 4; IF @a > 3 SELECT 1 ELSE SELECT 2", 1),
        ("IF 1 = 0 BEGIN SELECT 1 END ELSE BEGIN SELECT 2; END", 2),
        ("IF NOT EXISTS (SELECT 1 WHERE 1 = 0) SELECT 5; ELSE SELECT 6", 5),
        ("SELECT CASE WHEN NULL = NULL THEN 1 ELSE 2 END", 2),
        ("SELECT CASE 3 WHEN 1 THEN 10 WHEN 3 THEN 30 END", 30),
        ("DECLARE @i int = 0; WHILE @i < 9 SET @i += 1; SELECT @i", 9),
        ("SELECT LEN(N'it''s ') + DATALENGTH(N'ab')", 8),
        ("SELECT CAST('12' AS int) + CONVERT(int, N'3')", 15),
        ("SELECT COALESCE(NULL, ISNULL(NULL, 8))", 8),
        ("BEGIN TRY SELECT 1/0 END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH", 8134),
        ("BEGIN TRY; THROW 50001, 'x', 3; END TRY BEGIN CATCH SELECT ERROR_STATE() END CATCH", 3),
        ("EXEC('SELECT 4')", 4),
        ("EXEC sp_executesql N'SELECT @x + 1', N'@x int', @x = 2", 3),
        ("SELECT 1 WHERE 'Grant ' = N'GRANT' AND 2 IN (1, 2) AND 'abc' LIKE 'a%'", 1),
        ("SELECT CAST(XACT_STATE() AS int) + @@TRANCOUNT", 0),
    ] {
        assert_eq!(integer(&mut one, sql).await.expect(sql), expected, "{sql}");
    }
}

#[tokio::test]
async fn parameters_are_bound_not_pasted() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    let hostile = "'; DROP TABLE x; --";
    let row = one.query("SELECT @P1, @P2", &[&hostile, &7_i64]).await.unwrap();
    let row = row.into_row().await.unwrap().unwrap();
    assert_eq!(row.get::<&str, _>(0), Some(hostile));
    assert_eq!(row.get::<i64, _>(1), Some(7));
    let long = "x".repeat(9000);
    assert_eq!(bound(&mut one, "SELECT LEN(@P1)", &[&long]).await.unwrap(), 9000);
    let none: Option<i32> = None;
    assert_eq!(bound(&mut one, "SELECT ISNULL(@P1, 3)", &[&none]).await.unwrap(), 3);
}

#[tokio::test]
async fn what_is_not_understood_is_an_error_and_nothing_is_run() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    for (sql, number) in [
        ("SELEKT 1", 102),
        ("SELECT (1", 102),
        ("SELECT 'a", 105),
        ("SELECT @x", 137),
        ("SELECT nosuch(1)", 195),
        ("EXEC nosuch", 2812),
        ("SELECT * FROM nosuch", 208),
        ("SELECT a", 207),
        ("COMMIT", 3902),
        ("ROLLBACK", 3903),
        ("RAISERROR('x', 16, 1)", 50000),
        ("SELECT CAST('x' AS int)", 245),
        ("IF 1 SELECT 2", 4145),
    ] {
        assert_eq!(error(&mut one, sql).await, number, "{sql}");
    }
    let sql = "EXEC sp_getapplock N'k', 'Shared', 'Session'; SELEKT 1";
    assert_eq!(error(&mut one, sql).await, 102);
    assert_eq!(text(&mut one, "SELECT APPLOCK_MODE('public', N'k', 'Session')").await, "NoLock");
}

#[tokio::test]
async fn an_error_ends_its_statement_and_not_the_batch() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    let sql =
        "CREATE TABLE ##t (n int); EXEC sp_releaseapplock N'k', 'Session'; INSERT ##t VALUES (1)";
    assert_eq!(error(&mut one, sql).await, 1223);
    assert_eq!(integer(&mut one, "SELECT COUNT(*) FROM ##t").await.unwrap(), 1);
    let sql = "SET XACT_ABORT ON; BEGIN TRAN; DELETE FROM ##t; SELECT 1/0; COMMIT";
    assert_eq!(error(&mut one, sql).await, 8134);
    assert_eq!(integer(&mut one, "SELECT COUNT(*) FROM ##t").await.unwrap(), 1);
    assert_eq!(integer(&mut one, "SELECT @@TRANCOUNT").await.unwrap(), 0);
}

#[tokio::test]
async fn tables_keep_counters_and_roll_back() {
    let server = Server::start().await.unwrap();
    let (mut one, mut two) = (connect(&server).await, connect(&server).await);
    run(&mut one, "CREATE TABLE dbo.counter (id int NOT NULL PRIMARY KEY, n int)").await.unwrap();
    run(&mut one, "INSERT INTO counter (id, n) VALUES (1, 0), (2, 5)").await.unwrap();
    for _ in 0..3 {
        let sql = "UPDATE dbo.counter SET n = n + @P1 WHERE id = @P2";
        let done = two.execute(sql, &[&2, &1]).await.unwrap();
        assert_eq!(done.total(), 1);
    }
    let sum = "SELECT SUM(n) FROM counter";
    assert_eq!(integer(&mut one, sum).await.unwrap(), 11);
    run(
        &mut one,
        "BEGIN TRAN; UPDATE counter SET n = 0; DELETE FROM counter WHERE id = 2; ROLLBACK",
    )
    .await
    .unwrap();
    assert_eq!(integer(&mut two, sum).await.unwrap(), 11);
    let top = "SELECT TOP (1) n FROM counter ORDER BY n DESC";
    assert_eq!(integer(&mut two, top).await.unwrap(), 6);
    run(&mut one, "CREATE TABLE #own (n int)").await.unwrap();
    assert_eq!(error(&mut two, "SELECT n FROM #own").await, 208);
}

#[tokio::test]
async fn a_transaction_begun_in_a_call_is_complained_about() {
    let server = Server::start().await.unwrap();
    let mut one = connect(&server).await;
    let begun = bound(&mut one, "BEGIN TRAN; SELECT @P1", &[&1]).await;
    assert_eq!(begun.unwrap_err().code(), Some(266));
    assert_eq!(integer(&mut one, "SELECT @@TRANCOUNT").await.unwrap(), 1);
    run(&mut one, "COMMIT").await.unwrap();
}
