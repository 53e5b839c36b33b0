use crate::answer::{failed, is_not_held};
use crate::poison::discard;
use crate::session::HasClient;
use crate::{Error, Key};
use dlock_core::Returned;
use futures::FutureExt;
use std::borrow::BorrowMut;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use tiberius::error::{Error as Native, IoErrorKind};
use tiberius::{Client, ColumnData, ToSql};
use tokio::task::coop::unconstrained;

/// What a lock's requests are about, and what is known of it: shared by the lock, its exchanges, and what
/// ends its session.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) key: Key,
    pub(crate) known: Arc<Mutex<Known>>,
}

/// What a lock knows of its session.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    /// How many times the name was granted, and not released.
    pub(crate) grants: i32,
    /// A request for one more was sent, and how it was answered is not known.
    pub(crate) asked: bool,
    /// `DB_ID()` at the grant.
    pub(crate) database: i32,
    /// What came before the last request was read to its end, and the request was sent.
    pub(crate) sent: bool,
    /// Since the last answer, a request had to wait for what came before it: a statement of the caller's.
    pub(crate) behind: bool,
}

impl Subject {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, known: Arc::default() }
    }

    pub(crate) fn known(&self) -> Known {
        self.change(|known| *known)
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The session of a request in flight. Dropped before the answer, it leaves no client behind that could
/// be mistaken for a good one.
pub(crate) struct InFlight<S: HasClient, P: BorrowMut<S>> {
    place: Option<P>,
    subject: Subject,
    acquires: bool,
    session: PhantomData<fn() -> S>,
}

impl<S: HasClient, P: BorrowMut<S>> InFlight<S, P> {
    pub(crate) fn new(place: P, subject: Subject, acquires: bool) -> Self {
        Self { place: Some(place), subject, acquires, session: PhantomData }
    }

    pub(crate) fn client(&mut self) -> &mut Client<S::Stream> {
        self.place.as_mut().expect("it stays until the answer").borrow_mut().client()
    }

    /// Sends a statement, the name its first parameter, and reads the answer to its end: a code, and the
    /// session's database.
    pub(crate) async fn ask(
        &mut self,
        statement: &'static str,
        parameters: &[&dyn ToSql],
    ) -> Result<(i32, i32), Native> {
        let subject = self.subject.clone();
        subject.change(|known| known.sent = false);
        let name = Name { subject: &subject, acquires: self.acquires };
        let all =
            Vec::from_iter([&name as &dyn ToSql].into_iter().chain(parameters.iter().copied()));
        let client = self.client();
        let mut asking = pin!(async { client.query(statement, &all).await?.into_row().await });
        let answer = poll_fn(|context| {
            let polled = asking.as_mut().poll(context);
            if polled.is_pending() {
                subject.change(|known| known.behind |= !known.sent);
            }
            polled
        });
        let row = answer.await?.ok_or_else(astray)?;
        let code = row.try_get("dlock_code")?;
        code.zip(row.try_get("dlock_database")?).ok_or_else(astray)
    }

    /// The answer was read to its end.
    pub(crate) fn answered(mut self, answer: Result<bool, Error>) -> Returned<P, Native> {
        self.subject.change(|known| known.behind = false);
        (self.place.take(), answer.map_err(Box::new))
    }

    /// The answer was an error.
    pub(crate) fn failed(mut self, error: Native) -> Returned<P, Native> {
        let is_silent = matches!(error, Native::Io { kind: IoErrorKind::TimedOut, .. });
        let is_closed = !is_silent && matches!(error, Native::Io { .. } | Native::Server(_));
        let (is_not_held, reply) = (is_not_held(&error), failed(error));
        self.subject.change(|known| {
            known.sent &= !is_silent;
            if is_not_held || is_closed && !reply.usable && known.sent && !known.behind {
                (known.grants, known.asked) = (0, false);
            }
        });
        if reply.usable {
            return self.answered(reply.answer.map_err(|error| *error));
        }
        match self.place.take() {
            Some(place) if !is_closed && !is_silent => discard::<S, P>(place),
            // The driver itself refuses it from now on.
            place => drop(place),
        }
        (None, reply.answer)
    }
}

/// The answer was none that this crate asked for: the client had another one pending.
fn astray() -> Native {
    Native::Protocol(
        "the answer was to another request; one of the client's was left behind".into(),
    )
}

impl<S: HasClient, P: BorrowMut<S>> Drop for InFlight<S, P> {
    fn drop(&mut self) {
        let Some(mut place) = self.place.take() else { return };
        match (self.acquires, self.subject.known().sent) {
            // What runs there is the caller's.
            (true, false) => return,
            // Whoever uses the client next reads the answer away first.
            (false, true) if !S::GIVEN_BACK => return,
            (true, true) => {
                let client = place.borrow_mut().client();
                drop(unconstrained(client.cancel_query()).now_or_never());
            }
            (false, _) => {}
        }
        discard::<S, P>(place);
    }
}

/// A name as a parameter. The driver asks for its value when it has read to the end what came before,
/// and is about to send.
struct Name<'a> {
    subject: &'a Subject,
    acquires: bool,
}

impl ToSql for Name<'_> {
    fn to_sql(&self) -> ColumnData<'_> {
        self.subject.change(|known| {
            known.sent = true;
            known.asked |= self.acquires;
        });
        ColumnData::String(Some(self.subject.key.as_str().into()))
    }
}
