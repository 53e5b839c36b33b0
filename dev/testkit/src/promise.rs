//! The promises of every lock, each by its name.

use crate::bed::{Bed, SharedBed};
use crate::cases::{basics, deadlock, drops, exclusion, loss, reentry, shared, waits};
use dlock_core::RawShared;
use futures::future::LocalBoxFuture;
use std::fmt;
use std::future::Future;

type Case<B> = Box<dyn FnOnce(B) -> LocalBoxFuture<'static, ()> + Send>;

/// A promise of every lock on a bed `B`.
pub struct Promise<B> {
    name: &'static str,
    case: Case<B>,
}

fn of<B, F, Fut>(name: &'static str, case: F) -> Promise<B>
where
    F: FnOnce(B) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    Promise { name, case: Box::new(move |bed| Box::pin(case(bed))) }
}

impl<B> Promise<B> {
    /// The module of the case, and its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the case on this bed.
    ///
    /// # Panics
    /// When the promise is broken. One that is not kept in time is broken too, and that is for the
    /// caller to see.
    pub async fn kept(self, bed: B) {
        (self.case)(bed).await;
    }
}

impl<B> fmt::Debug for Promise<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Promise").field(&self.name).finish()
    }
}

/// Those of every lock that need no network between it and its server.
#[must_use]
pub fn local<B: Bed>() -> Vec<Promise<B>> {
    vec![
        of("basics::flag", basics::flag::<B>),
        of("basics::misuse", basics::misuse::<B>),
        of("basics::guards", basics::guards::<B>),
        of("basics::owned_guards", basics::owned_guards::<B>),
        of("basics::scope", basics::scope::<B>),
        of("basics::session", basics::session::<B>),
        of("exclusion::two_sessions", exclusion::two_sessions::<B>),
        of("exclusion::other_keys", exclusion::other_keys::<B>),
        of("exclusion::next_holder", exclusion::next_holder::<B>),
        of("exclusion::many_tasks", exclusion::many_tasks::<B>),
        of("waits::no_wait", waits::no_wait::<B>),
        of("waits::bounded", waits::bounded::<B>),
        of("waits::for_ever", waits::for_ever::<B>),
        of("waits::hand_over", waits::hand_over::<B>),
        of("waits::order", waits::order::<B>),
        of("loss::killed_holder", loss::killed_holder::<B>),
        of("loss::killed_waiter", loss::killed_waiter::<B>),
    ]
}

/// Those about a network that fails.
#[must_use]
pub fn network<B: Bed>() -> Vec<Promise<B>> {
    vec![
        of("waits::silent_server", waits::silent_server::<B>),
        of("loss::cut_holder", loss::cut_holder::<B>),
    ]
}

/// Those about drops, which a session lent by `&mut` cannot keep.
#[must_use]
pub fn drops<B: Bed>() -> Vec<Promise<B>> {
    vec![
        of("drops::every_poll_granted", drops::every_poll_granted::<B>),
        of("drops::every_poll_refused", drops::every_poll_refused::<B>),
        of("drops::every_poll_timed_out", drops::every_poll_timed_out::<B>),
        of("drops::every_poll_handed_over", drops::every_poll_handed_over::<B>),
        of("drops::every_poll_release", drops::every_poll_release::<B>),
        of("drops::forgotten", drops::forgotten::<B>),
        of("drops::every_poll_killed", drops::every_poll_killed::<B>),
        of("drops::random", drops::random::<B>),
        of("drops::guard", drops::guard::<B>),
        of("drops::guard_off_the_runtime", drops::guard_off_the_runtime::<B>),
        of("drops::guard_in_a_panic", drops::guard_in_a_panic::<B>),
        of("drops::lock", drops::lock::<B>),
        of("drops::callers_statement", drops::callers_statement::<B>),
    ]
}

/// Those about the shared mode.
#[must_use]
pub fn shared<B: Bed<Raw: RawShared>>() -> Vec<Promise<B>> {
    vec![
        of("shared::together", shared::together::<B>),
        of("shared::against_exclusive", shared::against_exclusive::<B>),
        of("shared::no_starvation", shared::no_starvation::<B>),
    ]
}

/// Those about several locks over one session.
#[must_use]
pub fn sessions<B: SharedBed>() -> Vec<Promise<B>> {
    vec![
        of("reentry::refused", reentry::refused::<B>),
        of("reentry::many_keys", reentry::many_keys::<B>),
        of("deadlock::crossed", deadlock::crossed::<B>),
        of("deadlock::every_poll", deadlock::every_poll::<B>),
    ]
}

/// The same for a driver with a shared mode.
#[must_use]
pub fn shared_sessions<B: SharedBed<Raw: RawShared>>() -> Vec<Promise<B>> {
    vec![of("reentry::shared_refused", reentry::shared_refused::<B>)]
}
