use crate::scripted::Fault;
use dlock_core::{
    ByMut, Error, Gone, Hold, Landed, Lent, Lock, Moving, RawIntoSession, RawLock, RawNew,
    RawUnlock, Trip, Wait,
};
use std::borrow::BorrowMut;
use tokio::task::yield_now;

/// A session that takes `&mut`: it counts its round trips.
#[derive(Debug, Default)]
pub(crate) struct Counter(pub(crate) u32);

/// A round trip that answers `true`.
struct Count;

impl Trip<Counter> for Count {
    type Error = Fault;

    async fn run<P>(self, mut place: P, _gone: Gone) -> Landed<P, Fault>
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

impl<H: Hold<Session = Counter, Error = Fault>> RawLock for Held<H> {
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
        self.0.settle().await;
        Ok(())
    }
}

impl<H: Hold<Session = Counter, Error = Fault>> RawUnlock for Held<H> {
    async fn unlock(&mut self) -> Result<bool, Error<Fault>> {
        self.0.run(Count).await
    }
}

impl RawNew<Counter> for Held<Moving<Counter, Fault>> {
    fn new(session: Counter, _: &'static str) -> Self {
        Self(Moving::new(session))
    }
}

impl<'a> RawNew<&'a mut Counter> for Held<Lent<'a, Counter, Fault>> {
    fn new(session: &'a mut Counter, _: &'static str) -> Self {
        Self(Lent::new(session))
    }
}

impl RawIntoSession for Held<Moving<Counter, Fault>> {
    type Owned = Counter;

    fn into_session(self) -> Option<Counter> {
        self.0.into_session()
    }
}

pub(crate) fn moving() -> Lock<Held<Moving<Counter, Fault>>> {
    Lock::new(Counter::default(), "key").unwrap()
}

pub(crate) fn lent(session: &mut Counter) -> Lock<Held<Lent<'_, Counter, Fault>>> {
    Lock::new(session, "key").unwrap()
}
