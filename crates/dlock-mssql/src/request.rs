use crate::answer::{failed, is_not_held};
use crate::session::HasClient;
use crate::{Error, Key, Stream};
use dlock_core::Returned;
use futures::FutureExt;
use std::borrow::BorrowMut;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::{mem, pin, thread};
use tiberius::error::{Error as Native, IoErrorKind};
use tiberius::{Client, ColumnData, ToSql};
use tokio::runtime::Builder;
use tokio::task::coop;

/// What a lock's requests are about, and what is known of it: shared by the lock, its exchanges, and what
/// ends its session.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) key: Key,
    known: Mutex<Known>,
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
    /// The last request was for a grant.
    acquires: bool,
    /// Since the last answer, a request had to wait for what came before it: a statement of the caller's.
    pub(crate) behind: bool,
}

impl Known {
    pub(crate) fn holds_nothing(&self) -> bool {
        self.grants == 0 && !self.asked
    }

    pub(crate) fn hold_nothing(&mut self) {
        (self.grants, self.asked) = (0, false);
    }
}

impl Subject {
    pub(crate) fn new(key: Key) -> Arc<Self> {
        Arc::new(Self { key, known: Mutex::default() })
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
    subject: Arc<Subject>,
    session: PhantomData<fn() -> S>,
}

impl<S: HasClient, P: BorrowMut<S>> InFlight<S, P> {
    pub(crate) fn new(place: P, subject: Arc<Subject>, acquires: bool) -> Self {
        subject.change(|known| known.acquires = acquires);
        Self { place: Some(place), subject, session: PhantomData }
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
        let subject = Arc::clone(&self.subject);
        subject.change(|known| known.sent = false);
        let all = Vec::from_iter([&*subject as &dyn ToSql].iter().chain(parameters).copied());
        let client = self.client();
        let mut asking = pin::pin!(async { client.query(statement, &all).await?.into_row().await });
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
        self.subject.change(|known| {
            known.behind = false;
            if answer.is_ok() && !known.acquires {
                known.hold_nothing();
            }
        });
        (self.place.take(), answer.map_err(Box::new))
    }

    /// The answer was an error.
    pub(crate) fn failed(mut self, error: Native) -> Returned<P, Native> {
        let is_silent = matches!(error, Native::Io { kind: IoErrorKind::TimedOut, .. });
        let is_closed = matches!(error, Native::Io { .. } | Native::Server(_)) && !is_silent;
        let (is_not_held, reply) = (is_not_held(&error), failed(error));
        self.subject.change(|known| {
            known.sent &= !is_silent;
            known.behind &= !reply.usable;
            if is_not_held || is_closed && !reply.usable && known.sent && !known.behind {
                known.hold_nothing();
            }
        });
        let place = self.place.take();
        if !reply.usable && !is_closed && !is_silent {
            // Otherwise the driver itself refuses it from now on.
            if let Some(place) = place {
                discard::<S, P>(place);
            }
            return (None, reply.answer);
        }
        (place.filter(|_| reply.usable), reply.answer)
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
        let (Some(mut place), known) = (self.place.take(), self.subject.known()) else { return };
        match (known.acquires, known.sent) {
            // What runs there is the caller's.
            (true, false) => return,
            // Whoever uses the client next reads the answer away first.
            (false, true) if !S::GIVEN_BACK => return,
            (true, true) => {
                let client = place.borrow_mut().client();
                drop(coop::unconstrained(client.cancel_query()).now_or_never());
            }
            (false, _) => {}
        }
        discard::<S, P>(place);
    }
}

/// The name, as a parameter. The driver asks for its value when it has read to the end what came before,
/// and is about to send.
impl ToSql for Subject {
    fn to_sql(&self) -> ColumnData<'_> {
        self.change(|known| {
            known.sent = true;
            known.asked |= known.acquires;
        });
        ColumnData::String(Some(self.key.as_str().into()))
    }
}

/// Drops a client that must not be used again: an owned one is closed by that, and whoever has one next
/// that was lent or came from a pool gets an error.
pub(crate) fn discard<S: HasClient, P: BorrowMut<S>>(mut place: P) {
    let client = place.borrow_mut().client();
    thread::scope(|scope| {
        drop(thread::Builder::new().spawn_scoped(scope, || cut_write_off(client)));
    });
    let is_refused =
        matches!(client.simple_query("").now_or_never(), Some(Err(Native::Protocol(_))));
    if S::GIVEN_BACK && !is_refused {
        mem::forget(place);
    }
}

/// Has every later use of a client fail: `tiberius` refuses a connection on which the write of a request
/// was cut off.
///
/// A stream of tokio's writes nothing for a task that has used up its budget. The budget is that of a
/// runtime on a thread of its own, for this is called in drops, anywhere.
fn cut_write_off<T: Stream>(client: &mut Client<T>) {
    let Ok(runtime) = Builder::new_current_thread().build() else { return };
    runtime.block_on(async {
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        drop(client.cancel_query().now_or_never());
    });
}
