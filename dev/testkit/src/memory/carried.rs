use super::trip::{Acquire, Release};
use super::{Ended, Error, Mode, Session};
use dlock_core::{
    BorrowedSession, ByDropping, ByMut, Exclusive, OwnedSession, RawIntoSession, RawLock, RawNew,
    RawShared, RawUnlock, Wait,
};

/// A lock over a session that takes `&mut`, in the hold `H`: owned ([`OwnedSession`]) or lent ([`BorrowedSession`]).
#[derive(Debug)]
pub struct Carried<H> {
    hold: H,
    key: String,
    mode: Mode,
}

impl<H> Carried<H> {
    fn of(hold: H, key: String) -> Self {
        Self { hold, key, mode: Mode::Exclusive }
    }

    fn release(&self) -> Release {
        Release { key: self.key.clone() }
    }
}

impl<H: Exclusive<Session = Session, Error = Ended>> RawLock for Carried<H> {
    type Key = String;
    type Mode = Mode;
    type Session = Session;
    type Lend = ByMut;
    type Error = Ended;

    fn key(&self) -> &String {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&mut Session> {
        self.hold.session()
    }

    fn is_closed(&self) -> bool {
        self.hold.is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        let acquire = Acquire { key: self.key.clone(), mode: self.mode, wait };
        self.hold.run(acquire).await
    }

    fn abandon(&mut self) {
        let release = self.release();
        self.hold.abandon(release);
    }

    async fn settle(&mut self) -> Result<(), Error> {
        self.hold.settle().await
    }
}

impl<H: Exclusive<Session = Session, Error = Ended>> RawUnlock for Carried<H> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let release = self.release();
        self.hold.run(release).await
    }
}

impl<H: Exclusive<Session = Session, Error = Ended>> RawShared for Carried<H> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl RawNew<Session> for Carried<OwnedSession<Session, ByDropping<Ended>>> {
    fn new(session: Session, key: String) -> Self {
        Self::of(OwnedSession::new(session, ByDropping::default()), key)
    }
}

impl<'a> RawNew<&'a mut Session> for Carried<BorrowedSession<'a, Session, Ended>> {
    fn new(session: &'a mut Session, key: String) -> Self {
        Self::of(BorrowedSession::new(session), key)
    }
}

impl RawIntoSession for Carried<OwnedSession<Session, ByDropping<Ended>>> {
    type Owned = Session;

    fn into_session(self) -> Option<Session> {
        self.hold.into_session()
    }
}
