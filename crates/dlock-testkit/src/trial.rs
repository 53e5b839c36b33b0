//! Cases as trials of a test harness: one name each, a runtime each, a deadline each.

use crate::bed::{Bed, SharedBed};
use crate::cases::{basics, deadlock, drops, exclusion, loss, reentry, shared, waits};
use crate::script::{Apart, Effort, MakeShared, Together, check};
use dlock_core::{Lock, RawShared};
use libtest_mimic::{Arguments, Failed, Trial};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;

/// No case may take longer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Runs the trials as the command line asks, two at a time unless told otherwise: they measure time.
#[must_use]
pub fn harness(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that runs `case` on a runtime of its own, and fails when it panics or takes too long.
pub fn trial<F, Fut>(name: impl Into<String>, case: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    Trial::test(name, move || run(case()))
}

fn run(case: impl Future<Output = ()>) -> Result<(), Failed> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async { tokio::time::timeout(DEADLINE, case).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map_err(|_| format!("still running after {DEADLINE:?}").into())
}

/// A trial of one case on a new bed.
fn on<B, F, Fut>(kind: &str, name: &str, case: F) -> Trial
where
    B: Bed,
    F: FnOnce(B) -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    trial(format!("{kind}::{name}"), async move || case(B::new().await).await)
}

/// The promises of every lock, whatever its session.
#[must_use]
pub fn promises<B: Bed>(kind: &str) -> Vec<Trial> {
    let mut trials = local_promises::<B>(kind);
    trials.extend(network_promises::<B>(kind));
    trials
}

/// Those of them that need no network between the lock and its server.
#[must_use]
pub fn local_promises<B: Bed>(kind: &str) -> Vec<Trial> {
    vec![
        on(kind, "basics::flag", basics::flag::<B>),
        on(kind, "basics::misuse", basics::misuse::<B>),
        on(kind, "basics::guards", basics::guards::<B>),
        on(kind, "basics::owned_guards", basics::owned_guards::<B>),
        on(kind, "basics::scope", basics::scope::<B>),
        on(kind, "basics::session", basics::session::<B>),
        on(kind, "exclusion::two_sessions", exclusion::two_sessions::<B>),
        on(kind, "exclusion::other_keys", exclusion::other_keys::<B>),
        on(kind, "exclusion::next_holder", exclusion::next_holder::<B>),
        on(kind, "exclusion::many_tasks", exclusion::many_tasks::<B>),
        on(kind, "waits::no_wait", waits::no_wait::<B>),
        on(kind, "waits::bounded", waits::bounded::<B>),
        on(kind, "waits::for_ever", waits::for_ever::<B>),
        on(kind, "waits::hand_over", waits::hand_over::<B>),
        on(kind, "waits::order", waits::order::<B>),
        on(kind, "loss::killed_holder", loss::killed_holder::<B>),
        on(kind, "loss::killed_waiter", loss::killed_waiter::<B>),
    ]
}

/// Those of them about a network that fails.
#[must_use]
pub fn network_promises<B: Bed>(kind: &str) -> Vec<Trial> {
    vec![
        on(kind, "waits::silent_server", waits::silent_server::<B>),
        on(kind, "loss::cut_holder", loss::cut_holder::<B>),
    ]
}

/// The promises about drops, which a session lent by `&mut` cannot keep.
#[must_use]
pub fn drop_promises<B: Bed>(kind: &str) -> Vec<Trial> {
    vec![
        on(kind, "drops::every_poll_granted", drops::every_poll_granted::<B>),
        on(kind, "drops::every_poll_refused", drops::every_poll_refused::<B>),
        on(kind, "drops::every_poll_timed_out", drops::every_poll_timed_out::<B>),
        on(kind, "drops::every_poll_handed_over", drops::every_poll_handed_over::<B>),
        on(kind, "drops::every_poll_release", drops::every_poll_release::<B>),
        on(kind, "drops::every_poll_killed", drops::every_poll_killed::<B>),
        on(kind, "drops::random", drops::random::<B>),
        on(kind, "drops::guard", drops::guard::<B>),
        on(kind, "drops::guard_off_the_runtime", drops::guard_off_the_runtime::<B>),
        on(kind, "drops::guard_in_a_panic", drops::guard_in_a_panic::<B>),
        on(kind, "drops::lock", drops::lock::<B>),
        on(kind, "drops::callers_statement", drops::callers_statement::<B>),
    ]
}

/// The promises about the shared mode.
#[must_use]
pub fn shared_promises<B: Bed<Raw: RawShared>>(kind: &str) -> Vec<Trial> {
    vec![
        on(kind, "shared::together", shared::together::<B>),
        on(kind, "shared::against_exclusive", shared::against_exclusive::<B>),
        on(kind, "shared::no_starvation", shared::no_starvation::<B>),
    ]
}

/// The promises about several locks over one session.
#[must_use]
pub fn session_promises<B: SharedBed>(kind: &str) -> Vec<Trial> {
    vec![
        on(kind, "reentry::refused", reentry::refused::<B>),
        on(kind, "reentry::many_keys", reentry::many_keys::<B>),
        on(kind, "deadlock::crossed", deadlock::crossed::<B>),
    ]
}

/// The same for a driver with a shared mode.
#[must_use]
pub fn shared_session_promises<B: SharedBed<Raw: RawShared>>(kind: &str) -> Vec<Trial> {
    vec![on(kind, "reentry::shared_refused", reentry::shared_refused::<B>)]
}

/// Random scripts, answered as memory answers them: sessions that several locks share.
#[must_use]
pub fn script_promises<B: SharedBed<Raw: RawShared>>(kind: &str) -> Vec<Trial> {
    let check = || check::<B, Together>(Some(Lock::shared), Effort::default());
    vec![Trial::test(format!("{kind}::script"), move || check().map_err(Failed::from))]
}

/// The same for sessions that have one lock each. `make_shared` where the driver has a shared mode.
#[must_use]
pub fn lone_script_promises<B: Bed>(
    kind: &str,
    make_shared: Option<MakeShared<B::Raw>>,
) -> Vec<Trial> {
    let check = move || check::<B, Apart>(make_shared, Effort::default());
    vec![Trial::test(format!("{kind}::lone_script"), move || check().map_err(Failed::from))]
}
