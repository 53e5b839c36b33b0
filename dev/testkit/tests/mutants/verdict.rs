use crate::bed::Mutants;
use crate::flaw::Flaw;
use dlock_testkit::promise::{self, Promise};
use std::any::Any;
use std::fmt;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// No promise takes longer over memory: one that does is broken. `waits::bounded` takes 9.3 s.
const DEADLINE: Duration = Duration::from_secs(13);

/// A promise that was not kept, and why.
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    why: String,
}

/// What the promises say of a lock.
pub(crate) struct Verdict {
    pub(crate) broken: Vec<Broken>,
}

impl Verdict {
    /// Puts every promise to the lock with this flaw, all at once: they mostly wait.
    pub(crate) fn on(flaw: Flaw) -> Self {
        let put = |promise| thread::spawn(move || judged(promise, flaw));
        let pending = Vec::from_iter(promises().into_iter().map(put));
        let judged = pending.into_iter().filter_map(|thread| thread.join().expect("a verdict"));
        Self { broken: judged.collect() }
    }
}

/// Those that can be put to memory.
fn promises() -> Vec<Promise<Mutants>> {
    let mut promises = promise::local();
    promises.extend(promise::drops());
    promises.extend(promise::shared());
    promises.extend(promise::sessions());
    promises.extend(promise::shared_sessions());
    promises
}

/// `None`: it was kept.
fn judged(promise: Promise<Mutants>, flaw: Flaw) -> Option<Broken> {
    let name = promise.name();
    let why = match thread::spawn(move || in_time(promise, flaw)).join() {
        Ok(true) => return None,
        Ok(false) => "it never ended".to_owned(),
        Err(panic) => message(panic.as_ref()),
    };
    Some(Broken { promise: name, why })
}

fn in_time(promise: Promise<Mutants>, flaw: Flaw) -> bool {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let kept = async { timeout(DEADLINE, promise.kept(Mutants::with(flaw))).await };
    runtime.block_on(kept).is_ok()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic").lines().next().unwrap_or_default().to_owned()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} promises broken", self.broken.len())?;
        let mut all = self.broken.iter();
        all.try_for_each(|Broken { promise, why }| write!(f, "\n    {promise}: {why}"))
    }
}
