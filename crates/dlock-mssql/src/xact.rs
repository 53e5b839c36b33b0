use crate::queue::{Queue, SLICE};
use crate::{Error, Key, Mode, Stream};
use dlock_core::{BorrowedSession, ByMut, Exclusive, RawLock, RawNew, RawShared, RawUpdate, Wait};
use std::fmt;
use tiberius::Client;
use tiberius::error::Error as Native;

/// Asks for the name `@P1` in the mode `@P2` for the open transaction, and waits for `@P3`
/// milliseconds.
///
/// Answers with the procedure's code; -999, which is the procedure's too, without a transaction; 101
/// where the session or its transaction holds the name already.
pub(crate) const ACQUIRE_XACT: &str = "\
DECLARE @code int = 101;
DECLARE @held nvarchar(32) = APPLOCK_MODE('public', @P1, 'Session');
IF @@TRANCOUNT = 0
    SET @code = -999;
ELSE
BEGIN
    IF @held = 'NoLock'
        SET @held = APPLOCK_MODE('public', @P1, 'Transaction');
    IF @held = 'NoLock'
        EXEC @code = sp_getapplock
            @Resource = @P1,
            @LockMode = @P2,
            @LockOwner = 'Transaction',
            @LockTimeout = @P3,
            @DbPrincipal = 'public';
END;
SELECT @code AS code;
";

const REFUSAL: &str =
    "this lock is held by a transaction, and the session has none open; begin one first";

/// An application lock of SQL Server that is held by the transaction open on a lent client.
pub struct Xact<'a, T: Stream> {
    hold: BorrowedSession<'a, Client<T>, Native>,
    key: Key,
    mode: Mode,
}

impl<T: Stream> RawLock for Xact<'_, T> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client<T>;
    type Lend = ByMut;
    type Error = Native;

    const SYSTEM: &'static str = "microsoft.sql_server";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&mut Client<T>> {
        self.hold.session()
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let (key, mode) = (self.key.clone(), self.mode);
        let batch = ACQUIRE_XACT;
        let queue = Queue { batch, key, mode, wait, longest: SLICE, refusal: REFUSAL };
        self.hold.run(queue).await
    }

    /// The session is in the middle of an answer and stays so: that is known already.
    fn abandon(&mut self) {}

    async fn settle(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl<'a, T: Stream> RawNew<&'a mut Client<T>> for Xact<'a, T> {
    fn new(client: &'a mut Client<T>, key: Key) -> Self {
        Self { hold: BorrowedSession::new(client), key, mode: Mode::Exclusive }
    }
}

impl<T: Stream> RawShared for Xact<'_, T> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl<T: Stream> RawUpdate for Xact<'_, T> {
    fn set_update(&mut self) {
        self.mode = Mode::Update;
    }
}

impl<T: Stream> fmt::Debug for Xact<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Xact")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
