use super::cases::{
    basics, beside, closing, drops, exclusion, exhausted, frozen, hand_over, limits, loss, network,
    runtimes, shared, silence, storm, waits,
};
use super::fixture::{Fixture, LinkFixture, LockFixture, MachineFixture, ProcessFixture};
use crate::trial::trial;
use dlock_locks::SharedDriver;
use libtest_mimic::Trial;
use std::future::Future;

/// A promise on a new fixture.
fn kept<F, Fut>(kind: &str, name: &str, case: fn(F) -> Fut) -> Trial
where
    F: Fixture,
    Fut: Future<Output = ()> + 'static,
{
    trial(format!("{kind}::{name}"), move || async move { case(F::new().await).await })
}

/// The promises of every `Locks`.
#[must_use]
pub fn promises<F: Fixture>(kind: &str) -> Vec<Trial> {
    let mut trials = calls::<F>(kind);
    trials.extend(many::<F>(kind));
    trials.extend(ends::<F>(kind));
    trials
}

fn calls<F: Fixture>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "basics::taken_and_given_back", basics::taken_and_given_back::<F>),
        kept(kind, "basics::trust", basics::trust::<F>),
        kept(kind, "basics::kept", basics::kept::<F>),
        kept(kind, "basics::scope", basics::scope::<F>),
        kept(kind, "basics::spawned", basics::spawned::<F>),
        kept(kind, "waits::bounded", waits::bounded::<F>),
        kept(kind, "waits::bounded_behind_another", waits::bounded_behind_another::<F>),
        kept(kind, "waits::tries", waits::tries::<F>),
        kept(kind, "waits::races", waits::races::<F>),
        kept(kind, "waits::for_ever", waits::for_ever::<F>),
        kept(kind, "runtimes::blocked", runtimes::blocked::<F>),
        kept(kind, "runtimes::undriven", runtimes::undriven::<F>),
        kept(kind, "runtimes::paused_clock", runtimes::paused_clock::<F>),
        kept(kind, "runtimes::stands_still", runtimes::stands_still::<F>),
    ]
}

fn many<F: Fixture>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "exclusion::two_processes", exclusion::thousand_tasks::<F, 2>),
        kept(kind, "exclusion::four_processes", exclusion::thousand_tasks::<F, 4>),
        kept(kind, "exclusion::hundred_keys", exclusion::hundred_keys::<F>),
        kept(kind, "exclusion::keys_do_not_hinder", exclusion::keys_do_not_hinder_each_other::<F>),
        kept(
            kind,
            "exclusion::release_beside_a_wait",
            exclusion::a_release_is_not_behind_a_wait::<F>,
        ),
        kept(kind, "exhausted::every_one_waits", exhausted::every_one_waits::<F>),
        kept(kind, "exhausted::crossed", exhausted::crossed::<F>),
        kept(kind, "exhausted::every_one_holds", exhausted::every_one_holds::<F>),
        kept(kind, "hand_over::in_the_process", hand_over::in_the_process::<F>),
        kept(kind, "hand_over::between_processes", hand_over::between_processes::<F>),
        kept(kind, "hand_over::its_limit", hand_over::its_limit::<F>),
        kept(kind, "hand_over::shares", hand_over::shares::<F>),
        kept(kind, "limits::keys", limits::keys::<F>),
        kept(kind, "limits::far_too_many_keys", limits::far_too_many_keys::<F>),
        kept(kind, "limits::never_releases", limits::a_task_that_never_releases::<F>),
        kept(kind, "limits::ten_thousand_waiters", limits::ten_thousand_waiters::<F>),
        kept(kind, "storm::exclusive", storm::exclusive::<F>),
    ]
}

fn ends<F: Fixture>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "drops::free", drops::free::<F>),
        kept(kind, "drops::held_elsewhere", drops::held_elsewhere::<F>),
        kept(kind, "drops::handed_over", drops::handed_over::<F>),
        kept(kind, "drops::killed", drops::killed::<F>),
        kept(kind, "drops::a_place_in_the_queue", drops::a_place_in_the_queue::<F>),
        kept(kind, "drops::releases", drops::releases::<F>),
        kept(kind, "drops::anywhere", drops::anywhere::<F>),
        kept(kind, "drops::with_its_runtime", drops::with_its_runtime::<F>),
        kept(kind, "loss::all_and_only", loss::all_and_only::<F>),
        kept(kind, "loss::kill_is_told", loss::kill_is_told::<F>),
        kept(kind, "loss::release_meets_kill", loss::release_meets_kill::<F>),
        kept(kind, "loss::waits_outlast_kills", loss::waits_outlast_kills::<F>),
        kept(kind, "loss::work_is_dropped", loss::work_is_dropped::<F>),
        kept(kind, "closing::close", closing::close::<F>),
        kept(kind, "closing::with_a_lock_alive", closing::dropped_with_a_lock_alive::<F>),
        kept(kind, "closing::with_a_wait_alive", closing::dropped_with_a_wait_alive::<F>),
        kept(kind, "closing::with_everything", closing::dropped_with_everything::<F>),
    ]
}

/// Those of a server that refuses some keys.
#[must_use]
pub fn key_promises<F: Fixture>(kind: &str) -> Vec<Trial> {
    vec![kept(kind, "basics::wrong_keys", basics::wrong_keys::<F>)]
}

/// Those about the shared mode.
#[must_use]
pub fn shared_promises<F: Fixture<Driver: SharedDriver>>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "shared::together", shared::together::<F>),
        kept(kind, "shared::against_exclusive", shared::against_exclusive::<F>),
        kept(kind, "shared::writer_is_not_starved", shared::writer_is_not_starved::<F>),
        kept(kind, "shared::writer_among_long_readers", shared::writer_among_long_readers::<F>),
        kept(kind, "shared::joins", shared::joins::<F>),
        kept(kind, "storm::readers_and_writers", storm::readers_and_writers::<F>),
    ]
}

/// Those about a network that fails.
#[must_use]
pub fn link_promises<F: LinkFixture>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "network::cut_is_told", network::cut_is_told::<F>),
        kept(kind, "network::slow", network::slow::<F>),
        kept(kind, "network::late_grants", network::late_grants::<F>),
        kept(kind, "network::stalls", network::stalls::<F>),
        kept(kind, "network::bounded_waits", network::bounded_waits_on_silence::<F>),
        kept(kind, "network::release", network::release_on_silence::<F>),
        kept(kind, "silence::is_told", silence::is_told_before_another_holds::<F>),
        kept(kind, "silence::after_a_wait", silence::of_a_lock_that_was_waited_for::<F>),
    ]
}

/// Those of a driver that has a `Lock` too.
#[must_use]
pub fn lock_promises<F: LockFixture>(kind: &str) -> Vec<Trial> {
    vec![
        kept(kind, "beside::lock", beside::lock::<F>),
        kept(kind, "beside::contended", beside::contended::<F>),
    ]
}

/// A promise on a server that nobody else uses; where servers are given by a URL it is not run.
fn private<F, Fut>(kind: &str, name: &str, case: fn(F) -> Fut) -> Trial
where
    F: MachineFixture,
    Fut: Future<Output = ()> + 'static,
{
    let name = format!("{kind}::{name}");
    let trial = trial(name, move || async move { case(F::private().await).await });
    trial.with_ignored_flag(!F::is_private())
}

/// Those about a server that stands still or goes away.
#[must_use]
pub fn machine_promises<F: MachineFixture>(kind: &str) -> Vec<Trial> {
    vec![
        private(kind, "frozen::server", frozen::server::<F>),
        private(kind, "frozen::server_for_a_moment", frozen::server_for_a_moment::<F>),
        private(kind, "frozen::server_that_comes_back", frozen::server_that_comes_back::<F>),
    ]
}

/// Those about a client that stands still.
#[must_use]
pub fn process_promises<F: ProcessFixture>(kind: &str) -> Vec<Trial> {
    vec![kept(kind, "frozen::client", frozen::client::<F>)]
}
