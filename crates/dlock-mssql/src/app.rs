use crate::queue::{Queue, SLICE};
use crate::release::Release;
use crate::{Error, Key, Mode, Place, Stream};
use dlock_core::{
    ByMut, Exclusive, RawIntoSession, RawLock, RawNew, RawShared, RawUnlock, RawUpdate, RawUpgrade,
    Wait,
};
use std::fmt;
use tiberius::Client;
use tiberius::error::Error as Native;

/// Asks for the name `@P1` in the mode `@P2` for the session, and waits for `@P3` milliseconds.
///
/// Answers with the procedure's code, or with 101 where the session or its transaction holds the name
/// already: the procedure would count one more, and grant it. Nothing after the grant can fail.
pub(crate) const ACQUIRE: &str = "\
DECLARE @code int = 101;
DECLARE @held nvarchar(32) = APPLOCK_MODE('public', @P1, 'Session');
IF @@TRANCOUNT > 0 AND @held = 'NoLock'
    SET @held = APPLOCK_MODE('public', @P1, 'Transaction');
IF @held = 'NoLock'
    EXEC @code = sp_getapplock
        @Resource = @P1,
        @LockMode = @P2,
        @LockOwner = 'Session',
        @LockTimeout = @P3,
        @DbPrincipal = 'public';
SELECT @code AS code;
";

/// The same for a session that holds the name in update mode; 102 where it does not.
pub(crate) const UPGRADE: &str = "\
DECLARE @code int = 102;
IF APPLOCK_MODE('public', @P1, 'Session') = 'Update'
    EXEC @code = sp_getapplock
        @Resource = @P1,
        @LockMode = @P2,
        @LockOwner = 'Session',
        @LockTimeout = @P3,
        @DbPrincipal = 'public';
SELECT @code AS code;
";

const REFUSAL: &str = "sp_getapplock did not accept the call; the session must be in a database \
                       whose `public` role may execute it";

/// An application lock of SQL Server that is held by the session `S`.
pub struct App<S: Place> {
    hold: S::Exclusive,
    key: Key,
    mode: Mode,
    upgraded: bool,
}

impl<S: Place> App<S> {
    fn release(&self) -> Release {
        Release { key: self.key.clone() }
    }

    fn queue(&self, batch: &'static str, mode: Mode, wait: Wait) -> Queue {
        Queue { batch, key: self.key.clone(), mode, wait, longest: SLICE, refusal: REFUSAL }
    }
}

impl<S: Place> RawLock for App<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client<S::Stream>;
    type Lend = ByMut;
    type Error = Native;

    const SYSTEM: &'static str = "microsoft.sql_server";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        if self.upgraded { Mode::Exclusive } else { self.mode }
    }

    fn session(&mut self) -> Option<&mut Client<S::Stream>> {
        self.hold.session()
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let queue = self.queue(ACQUIRE, self.mode, wait);
        self.hold.run(queue).await
    }

    fn abandon(&mut self) {
        self.upgraded = false;
        let release = self.release();
        self.hold.abandon(release);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.hold.settle().await
    }
}

impl<S: Place> RawUnlock for App<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let release = self.release();
        let held = self.hold.run(release).await?;
        self.upgraded = false;
        Ok(held)
    }
}

impl<S: Place> RawUpgrade for App<S> {
    async fn upgrade(&mut self, wait: Wait) -> Result<bool, Error> {
        if self.upgraded || self.mode != Mode::Update {
            return Err(Error::WrongMode);
        }
        let queue = self.queue(UPGRADE, Mode::Exclusive, wait);
        self.upgraded = self.hold.run(queue).await?;
        Ok(self.upgraded)
    }
}

impl<S: Place> RawNew<S> for App<S> {
    fn new(session: S, key: Key) -> Self {
        Self { hold: session.hold(), key, mode: Mode::Exclusive, upgraded: false }
    }
}

impl<S: Place> RawShared for App<S> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl<S: Place> RawUpdate for App<S> {
    fn set_update(&mut self) {
        self.mode = Mode::Update;
    }
}

impl<T: Stream + 'static> RawIntoSession for App<Client<T>> {
    type Owned = Client<T>;

    fn into_session(self) -> Option<Client<T>> {
        self.hold.into_session()
    }
}

impl<S: Place> fmt::Debug for App<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .field("upgraded", &self.upgraded)
            .finish_non_exhaustive()
    }
}
