use super::{Layout, MakeShared, Script, Stage, scripts};
use crate::bed::Bed;
use crate::cases::{fresh_key, until};
use crate::memory::{ByArc, MemoryBed};
use dlock_core::Lock;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// No script may take longer.
const DEADLINE: Duration = Duration::from_secs(60);

/// The variable that names the seed of an earlier run.
const SEED: &str = "DLOCK_SCRIPT_SEED";

/// How much is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effort {
    /// How many scripts.
    pub scripts: u32,
    /// How many steps each has at most.
    pub steps: usize,
}

impl Default for Effort {
    /// Forty scripts of up to 30 steps: some 10 seconds on a server nearby.
    fn default() -> Self {
        Self { scripts: 40, steps: 30 }
    }
}

/// Runs random scripts on memory and on the bed `B`, and compares all that can be seen.
///
/// # Errors
/// The shortest script found whose answers differ, and the seed to run it again with.
///
/// # Panics
/// Without a runtime or a server.
pub fn check<B, L>(make_shared: Option<MakeShared<B::Raw>>, effort: Effort) -> Result<(), String>
where
    B: Bed,
    L: Layout<B> + Layout<MemoryBed<ByArc>>,
{
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let bed = runtime.block_on(B::new());
    let seed = seed();
    let scripts = scripts(<L as Layout<B>>::CAST, effort.steps);
    let mut runner = TestRunner::new_with_rng(config(effort), rng(seed));
    let play = |script| played::<B, L>(&runtime, &bed, &script, make_shared);
    let result = runner.run(&scripts, play);
    drop(bed);
    runtime.shutdown_timeout(Duration::from_secs(1));
    result.map_err(|failure| format!("{failure}\n{SEED}={seed} runs it again"))
}

/// The clock's, unless the environment has one.
fn seed() -> u64 {
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    let given = env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| u64::from(clock().subsec_nanos()))
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

fn config(effort: Effort) -> Config {
    Config {
        cases: effort.scripts,
        failure_persistence: None,
        max_shrink_iters: 200,
        max_shrink_time: 6_000,
        ..Config::default()
    }
}

fn played<B, L>(
    runtime: &Runtime,
    bed: &B,
    script: &Script,
    make_shared: Option<MakeShared<B::Raw>>,
) -> Result<(), TestCaseError>
where
    B: Bed,
    L: Layout<B> + Layout<MemoryBed<ByArc>>,
{
    let play = async { timeout(DEADLINE, play::<B, L>(bed, script, make_shared)).await };
    let played = runtime.block_on(play).unwrap_or_else(|_| Err("it never ended".to_owned()));
    played.map_err(TestCaseError::fail)
}

/// One script on both.
async fn play<B, L>(
    bed: &B,
    script: &Script,
    make_shared: Option<MakeShared<B::Raw>>,
) -> Result<(), String>
where
    B: Bed,
    L: Layout<B> + Layout<MemoryBed<ByArc>>,
{
    let memory = MemoryBed::<ByArc>::new().await;
    let keys = Vec::from_iter((0..<L as Layout<B>>::CAST.keys).map(|_| fresh_key("script")));
    let modes = make_shared.map(|_| Lock::shared as MakeShared<_>);
    let mut model = Stage::<_, L>::open(&memory, &keys, &script.shared, modes).await;
    let mut real = Stage::<_, L>::open(bed, &keys, &script.shared, make_shared).await;
    for (place, step) in script.steps.iter().enumerate() {
        let expected = model.perform(*step, None).await;
        let answer = real.perform(*step, Some(expected)).await;
        same(answer, expected).map_err(|what| format!("step {place}, {step:?}: {what}"))?;
        same(real.flags(), model.flags()).map_err(|what| format!("flags after {place}: {what}"))?;
        alike(bed, &memory, &keys).await;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(answer: T, expected: T) -> Result<(), String> {
    if answer == expected { Ok(()) } else { Err(format!("{answer:?}, not {expected:?}")) }
}

/// The server shows what memory shows, at the latest when it has forgotten what was dropped.
async fn alike<B: Bed>(bed: &B, memory: &MemoryBed<ByArc>, keys: &[String]) {
    for key in keys {
        let seen = (memory.holders(key).await, memory.waiters(key).await);
        until(bed, key, seen, B::FORGETS).await;
    }
}
