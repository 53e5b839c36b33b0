//! How late a loss is told, and that nobody else holds before: figures of many tries, for the table in
//! docs/RELIABILITY.md, which `cargo xtask losses` writes. Few are tried unless `DLOCK_LOSSES` says how many.

mod client;
mod ends;
mod fences;
mod figures;
mod lead;
mod server;
mod silence;

use super::fixture::{FenceFixture, Fixture, LinkFixture, MachineFixture, ProcessFixture};
use crate::trial::trial_within;
use figures::Figures;
use libtest_mimic::Trial;
use std::future::Future;
use std::time::Duration;

/// No row of figures takes longer.
const DEADLINE: Duration = Duration::from_secs(1200);

/// A row of figures, on a new fixture.
fn row<F, Fut>(kind: &str, name: &str, case: fn(F, Figures) -> Fut) -> Trial
where
    F: Fixture,
    Fut: Future<Output = ()> + 'static,
{
    let figures = Figures::new(kind);
    trial_within(DEADLINE, format!("{kind}::losses::{name}"), move || async move {
        case(F::new().await, figures).await;
    })
}

/// The same on a server that nobody else uses; where servers are given by a URL it is not run.
fn private<F, Fut>(kind: &str, name: &str, case: fn(F, Figures) -> Fut) -> Trial
where
    F: MachineFixture,
    Fut: Future<Output = ()> + 'static,
{
    let figures = Figures::new(kind);
    let trial = trial_within(DEADLINE, format!("{kind}::losses::{name}"), move || async move {
        case(F::private().await, figures).await;
    });
    trial.with_ignored_flag(!F::is_private())
}

/// Sessions that an administrator ends.
#[must_use]
pub fn kill_figures<F: Fixture>(kind: &str) -> Vec<Trial> {
    vec![row(kind, "kill", ends::kill::<F>), row(kind, "lead_kill", lead::kill::<F>)]
}

/// Networks that close connections, or fall silent.
#[must_use]
pub fn link_figures<F: LinkFixture>(kind: &str) -> Vec<Trial> {
    vec![
        row(kind, "fin", ends::fin::<F>),
        row(kind, "silence", silence::silence::<F>),
        row(kind, "lead_fin", lead::fin::<F>),
        row(kind, "lead_silence", lead::silence::<F>),
    ]
}

/// Servers that stand still, or go away.
#[must_use]
pub fn machine_figures<F: MachineFixture>(kind: &str) -> Vec<Trial> {
    vec![
        private(kind, "server", server::stopped::<F>),
        private(kind, "lead_restart", lead::restart::<F>),
    ]
}

/// Clients that stand still.
#[must_use]
pub fn process_figures<F: ProcessFixture>(kind: &str) -> Vec<Trial> {
    vec![row(kind, "client", client::stopped::<F>)]
}

/// Holders that were silent, or stood still, and go on behind a fence.
#[must_use]
pub fn fence_figures<F: FenceFixture + LinkFixture>(kind: &str) -> Vec<Trial> {
    vec![
        row(kind, "fenced_silence", fences::silent::<F>),
        row(kind, "fenced_client", fences::stopped::<F>),
    ]
}
