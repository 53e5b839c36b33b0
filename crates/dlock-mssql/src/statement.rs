//! Every text that goes to the server.
//!
//! Each takes `@P1`, the name, and answers with one row: what the procedure returned, or a code of this
//! crate's beside it ([`code`](crate::answer::code)), and the database that the session is in.

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

/// The same for the open transaction; -999, which is the procedure's too, without one. 105 where the
/// name is held already, without a mark.
pub(crate) const ACQUIRE_XACT: &str = "\
DECLARE @code int = IIF(@@TRANCOUNT = 0, -999, 105);
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
/// A system procedure that is called by a database's name runs in that database.
pub(crate) const RELEASE: &str = "\
DECLARE @code int, @there nvarchar(300) = QUOTENAME(DB_NAME(@P2)) + N'.sys.sp_releaseapplock';
IF @P3 = 2 EXEC @there @P1, 'Session', 'public';
IF DB_ID() = @P2 EXEC @code = sp_releaseapplock @P1, 'Session', 'public';
ELSE EXEC @code = @there @P1, 'Session', 'public';
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";

/// Releases after a request that was cancelled, so that nobody knows whether it was granted: nothing where
/// it was marked as refused, for what is held is the caller's then. 104 where something is held after the
/// release: whether that is ours cannot be told.
pub(crate) const RELEASE_DOUBTFUL: &str = "\
DECLARE @code int = 0, @mark nvarchar(50) = N'dlock: refused ' + CAST(@@SPID AS nvarchar(10));
IF APPLOCK_MODE('public', @mark, 'Session') <> 'NoLock'
    EXEC @code = sp_releaseapplock @mark, 'Session', 'public';
ELSE IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock'
BEGIN
    EXEC @code = sp_releaseapplock @P1, 'Session', 'public';
    IF APPLOCK_MODE('public', @P1, 'Session') <> 'NoLock' SET @code = 104;
END;
SELECT @code AS dlock_code, DB_ID() AS dlock_database;
";
