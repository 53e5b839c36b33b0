use crate::scripted::Fault;
use dlock_core::{
    BorrowedSession, ByDropping, ByMut, Cancelled, Error, Exchange, Exclusive, Lock, OwnedSession,
    RawIntoSession, RawLock, RawNew, RawUnlock, Returned, Wait,
};
use std::borrow::BorrowMut;
use tokio::task::yield_now;

/// A session that takes `&mut`: it counts its round trips.
#[derive(Debug, Default)]
pub(crate) struct Counter(pub(crate) u32);

/// A round trip that answers `true`.
struct Count;

impl Exchange<Counter> for Count {
    type Error = Fault;

    async fn run<P>(self, mut place: P, _gone: Cancelled) -> Returned<P, Fault>
    where
        P: BorrowMut<Counter> + Send,
    {
        yield_now().await;
        place.borrow_mut().0 += 1;
        (Some(place), Ok(true))
    }
}

/// A raw lock over a session in a hold.
#[derive(Debug)]
pub(crate) struct Held<H>(H);

impl<H: Exclusive<Session = Counter, Error = Fault>> RawLock for Held<H> {
    type Key = &'static str;
    type Mode = ();
    type Session = Counter;
    type Lend = ByMut;
    type Error = Fault;

    fn key(&self) -> &&'static str {
        &"key"
    }

    fn mode(&self) {}

    fn session(&mut self) -> Option<&mut Counter> {
        self.0.session()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    async fn lock(&mut self, _: Wait) -> Result<bool, Error<Fault>> {
        self.0.run(Count).await
    }

    fn abandon(&mut self) {
        self.0.abandon(Count);
    }

    async fn settle(&mut self) -> Result<(), Error<Fault>> {
        self.0.settle().await
    }
}

impl<H: Exclusive<Session = Counter, Error = Fault>> RawUnlock for Held<H> {
    async fn unlock(&mut self) -> Result<bool, Error<Fault>> {
        self.0.run(Count).await
    }
}

impl RawNew<Counter> for Held<OwnedSession<Counter, ByDropping<Fault>>> {
    fn new(session: Counter, _: &'static str) -> Self {
        Self(OwnedSession::new(session, ByDropping::default()))
    }
}

impl<'a> RawNew<&'a mut Counter> for Held<BorrowedSession<'a, Counter, Fault>> {
    fn new(session: &'a mut Counter, _: &'static str) -> Self {
        Self(BorrowedSession::new(session))
    }
}

impl RawIntoSession for Held<OwnedSession<Counter, ByDropping<Fault>>> {
    type Owned = Counter;

    fn into_session(self) -> Option<Counter> {
        self.0.into_session()
    }
}

pub(crate) fn moving() -> Lock<Held<OwnedSession<Counter, ByDropping<Fault>>>> {
    Lock::new(Counter::default(), "key").unwrap()
}

pub(crate) fn lent(session: &mut Counter) -> Lock<Held<BorrowedSession<'_, Counter, Fault>>> {
    Lock::new(session, "key").unwrap()
}
