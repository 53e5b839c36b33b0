use super::trip::{Acquire, Release};
use super::{Ended, Error, Mode, Session};
use dlock_core::{
    ByMut, Hold, Lent, Moving, RawIntoSession, RawLock, RawNew, RawShared, RawUnlock, Wait,
};

/// A lock over a session that takes `&mut`, in the hold `H`: owned ([`Moving`]) or lent ([`Lent`]).
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

impl<H: Hold<Session = Session, Error = Ended>> RawLock for Carried<H> {
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
        self.hold.settle().await;
        Ok(())
    }
}

impl<H: Hold<Session = Session, Error = Ended>> RawUnlock for Carried<H> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        let release = self.release();
        self.hold.run(release).await
    }
}

impl<H: Hold<Session = Session, Error = Ended>> RawShared for Carried<H> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
    }
}

impl RawNew<Session> for Carried<Moving<Session, Ended>> {
    fn new(session: Session, key: String) -> Self {
        Self::of(Moving::new(session), key)
    }
}

impl<'a> RawNew<&'a mut Session> for Carried<Lent<'a, Session, Ended>> {
    fn new(session: &'a mut Session, key: String) -> Self {
        Self::of(Lent::new(session), key)
    }
}

impl RawIntoSession for Carried<Moving<Session, Ended>> {
    type Owned = Session;

    fn into_session(self) -> Option<Session> {
        self.hold.into_session()
    }
}
