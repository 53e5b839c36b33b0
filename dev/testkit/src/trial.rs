//! Cases as trials of a test harness: one name each, a runtime each, a deadline each.

use crate::bed::{Bed, SharedBed};
use crate::promise::{self, Promise};
use crate::script::{Apart, Effort, MakeShared, Together, check};
use dlock_core::{Lock, RawShared};
use libtest_mimic::{Arguments, Failed, Trial};
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Builder;

/// What a busy machine may add to a bound, where a median is not taken.
pub const BUSY: Duration = Duration::from_secs(1);

/// No case may take longer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Runs the trials as the command line asks, three at a time unless told otherwise: they mostly wait,
/// and they measure time.
#[must_use]
pub fn harness(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(3));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that runs `case` on a runtime of its own, and fails when it panics or takes too long.
pub fn trial<F, Fut>(name: impl Into<String>, case: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    trial_within(DEADLINE, name, case)
}

/// The same with a deadline of its own.
pub fn trial_within<F, Fut>(deadline: Duration, name: impl Into<String>, case: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()>,
{
    Trial::test(name, move || run(deadline, case()))
}

fn run(deadline: Duration, case: impl Future<Output = ()>) -> Result<(), Failed> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async { tokio::time::timeout(deadline, case).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome.map_err(|_| format!("still running after {deadline:?}").into())
}

/// The same, each on a new bed.
fn trials<B: Bed>(kind: &str, promises: Vec<Promise<B>>) -> Vec<Trial> {
    let on_a_bed = |promise: Promise<B>| {
        let name = format!("{kind}::{}", promise.name());
        trial(name, async move || promise.kept(B::new().await).await)
    };
    promises.into_iter().map(on_a_bed).collect()
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
    trials(kind, promise::local::<B>())
}

/// Those of them about a network that fails.
#[must_use]
pub fn network_promises<B: Bed>(kind: &str) -> Vec<Trial> {
    trials(kind, promise::network::<B>())
}

/// The promises about drops, which a session lent by `&mut` cannot keep.
#[must_use]
pub fn drop_promises<B: Bed>(kind: &str) -> Vec<Trial> {
    trials(kind, promise::drops::<B>())
}

/// The promises about the shared mode.
#[must_use]
pub fn shared_promises<B: Bed<Raw: RawShared>>(kind: &str) -> Vec<Trial> {
    trials(kind, promise::shared::<B>())
}

/// The promises about several locks over one session.
#[must_use]
pub fn session_promises<B: SharedBed>(kind: &str) -> Vec<Trial> {
    trials(kind, promise::sessions::<B>())
}

/// The same for a driver with a shared mode.
#[must_use]
pub fn shared_session_promises<B: SharedBed<Raw: RawShared>>(kind: &str) -> Vec<Trial> {
    trials(kind, promise::shared_sessions::<B>())
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
