//! Every text that goes to the server; those for many names at once are in [`batch`].
//!
//! Those of a [`Lock`](crate::Lock) take `@P1`, the name, and answer with one row: what the procedure
//! returned, or a code of this crate's beside it ([`code`](crate::answer::code)), and the database that the
//! session is in.

mod batch;

pub(crate) use batch::{BATCH, BatchText};

/// Asks for the name in the mode `@P2` for the session, and waits for `@P3` milliseconds.
///
/// Where the session or its transaction holds the name already, the procedure would count one more, and
/// grant it: then the answer is 101, and a lock of another name marks that nothing was granted, so that
/// [`RELEASE_DOUBTFUL`] knows it where nobody read the answer. Nothing after a grant can fail.
pub(crate) const ACQUIRE: &str = "\
DECLARE @code int = 101, @mark nvarchar(50) = N'dlock: refused ' + CAST(@@SPID AS nvarchar(10));
IF APPLOCK_MODE('public', @P1, 'Session') = 'NoLock'
    AND IIF(@@TRANCOUNT = 0, 'NoLock', APPLOCK_MODE('public', @P1, 'Transaction')) = 'NoLock'
    EXEC @code = sp_getapplock @P1, @P2, 'Session', @P3, 'public';
ELSE EXEC sp_getapplock @mark, 'Shared', 'Session', 0, 'public';
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// The same for the open transaction; 107 without one. 105 where the name is held already, without a mark.
pub(crate) const ACQUIRE_XACT: &str = "\
DECLARE @code int = IIF(@@TRANCOUNT = 0, 107, 105);
IF @code = 105 AND APPLOCK_MODE('public', @P1, 'Session') = 'NoLock'
    AND IIF(@@TRANCOUNT = 0, '', APPLOCK_MODE('public', @P1, 'Transaction')) = 'NoLock'
    EXEC @code = sp_getapplock @P1, @P2, 'Transaction', @P3, 'public';
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// The same as [`ACQUIRE`] for a session that holds the name in update mode in the database `@P4`: 102
/// where it does not hold it so, 103 where it is in another database now. What else it was granted by
/// hand shows in the mode.
pub(crate) const UPGRADE: &str = "\
DECLARE @code int = IIF(DB_ID() = @P4, 102, 103);
IF @code = 102 AND APPLOCK_MODE('public', @P1, 'Session')
    IN ('Update', 'UpdateIntentExclusive', 'Exclusive')
    EXEC @code = sp_getapplock @P1, @P2, 'Session', @P3, 'public';
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// Releases what was granted in the database `@P2`, wherever the session is now, and where `@P3` is 2,
/// twice: each get needs its own release. What is not held is error 1223.
///
/// A system procedure that is called by a database's name runs in that database. That is a text within the
/// text, since not every server takes a procedure's name from a variable.
pub(crate) const RELEASE: &str = "\
DECLARE @code int, @text nvarchar(700);
IF DB_ID() = @P2 AND @P3 = 2 EXEC sp_releaseapplock @P1, 'Session', 'public';
IF DB_ID() = @P2 EXEC @code = sp_releaseapplock @P1, 'Session', 'public';
ELSE
BEGIN
    SET @text = N'EXEC @code = ' + QUOTENAME(DB_NAME(@P2))
        + N'.sys.sp_releaseapplock @name, ''Session'', ''public'';';
    IF @P3 = 2 EXEC sp_executesql @text, N'@name nvarchar(255), @code int OUTPUT', @name = @P1, @code = @code OUTPUT;
    EXEC sp_executesql @text, N'@name nvarchar(255), @code int OUTPUT', @name = @P1, @code = @code OUTPUT;
END;
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// Releases after a request that was cancelled, so that nobody knows whether it was granted: nothing where
/// it was marked as refused, for what is held is the caller's then. 103 where the name was granted before in the
/// database `@P2`, which is another than this: the request was for more, and was refused here. 104 where
/// something is held after the release: whether that is ours cannot be told.
pub(crate) const RELEASE_DOUBTFUL: &str = "\
DECLARE @code int = 0, @mark nvarchar(50) = N'dlock: refused ' + CAST(@@SPID AS nvarchar(10));
IF @P2 <> 0 AND @P2 <> DB_ID() SET @code = 103;
ELSE IF APPLOCK_MODE('public', @mark, 'Session') <> 'NoLock'
    EXEC @code = sp_releaseapplock @mark, 'Session', 'public';
ELSE IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock'
BEGIN
    EXEC @code = sp_releaseapplock @P1, 'Session', 'public';
    IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock' SET @code = 104;
END;
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// Makes a session of [`Locks`](crate::Locks) clean of what the server or the login has for a default.
pub(crate) const CLEAN: &str = "\
SET NOCOUNT ON;
SET LOCK_TIMEOUT -1;
SET IMPLICIT_TRANSACTIONS OFF;
SET XACT_ABORT OFF;
";

/// Tells which running server a session is on, in which database, and which it is. The server makes `tempdb`
/// anew whenever it starts, and everybody may see that.
pub(crate) const LOOK: &str = "\
SELECT CAST(@@SERVERNAME AS nvarchar(255)) AS dlock_server,
    (SELECT CONVERT(nvarchar(40), create_date, 121) FROM sys.databases WHERE name = N'tempdb') AS dlock_started,
    CAST(DB_NAME() AS nvarchar(255)) AS dlock_database,
    CAST(@@SPID AS int) AS dlock_number,
    CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS nvarchar(60)) AS dlock_updateability;
";

/// The smallest batch that is answered.
pub(crate) const PING: &str = "SELECT 1;";

/// Asks for the name `@P1` in the mode `@P2` for the session, which does not hold it so, and waits for `@P3`
/// milliseconds.
pub(crate) const WAIT: &str = "\
DECLARE @code int;
EXEC @code = sp_getapplock @P1, @P2, 'Session', @P3, 'public';
SELECT @code AS dlock_code;
";

/// Waits for `@P2` milliseconds until nobody holds the name `@P1` alone.
pub(crate) const PASS: &str = "\
DECLARE @code int;
EXEC @code = sp_getapplock @P1, 'Shared', 'Session', @P2, 'public';
IF @code >= 0 EXEC sp_releaseapplock @P1, 'Session', 'public';
SELECT @code AS dlock_code;
";

/// Tells the application locks of the database, and then the sessions of users.
pub(crate) const HOLDERS: &str = "\
SELECT CAST(resource_description AS nvarchar(400)) AS dlock_lock,
    CAST(request_mode AS nvarchar(60)) AS dlock_mode,
    CAST(request_status AS nvarchar(60)) AS dlock_status,
    CAST(request_session_id AS int) AS dlock_session
FROM sys.dm_tran_locks WHERE resource_type = 'APPLICATION' AND resource_database_id = DB_ID();
SELECT CAST(session_id AS int) AS dlock_session,
    CAST(login_name AS nvarchar(255)) AS dlock_user,
    CAST(host_name AS nvarchar(255)) AS dlock_host,
    CAST(program_name AS nvarchar(255)) AS dlock_application,
    DATEDIFF(second, last_request_start_time, GETDATE()) AS dlock_since
FROM sys.dm_exec_sessions WHERE is_user_process = 1;
";

/// Tells whether nobody holds the name `@P1`: 1.
pub(crate) const IS_FREE: &str =
    "SELECT CAST(APPLOCK_TEST('public', @P1, 'Exclusive', 'Session') AS int);";

/// Tells whether the login may end sessions: 1.
pub(crate) const MAY_KILL: &str =
    "SELECT CAST(HAS_PERMS_BY_NAME(NULL, NULL, 'ALTER ANY CONNECTION') AS int);";

/// Tells the version, such as `16.0.4096.0`.
pub(crate) const VERSION: &str = "SELECT CAST(SERVERPROPERTY('ProductVersion') AS nvarchar(128));";

/// Tells the server's clock: seconds since the first midnight of the year 2000.
pub(crate) const CLOCK: &str = "SELECT DATEDIFF(second, '20000101', GETUTCDATE());";

/// Ends a session.
pub(crate) fn kill(session: i32) -> String {
    format!("KILL {session};")
}

/// One row while the session is there.
pub(crate) fn session(number: i32) -> String {
    format!("SELECT CAST(session_id AS int) FROM sys.dm_exec_sessions WHERE session_id = {number};")
}
