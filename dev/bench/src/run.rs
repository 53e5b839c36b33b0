//! One layout: every database and every measure, in this process.

use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::eye::Eye;
use crate::figure::{Figure, Layout};
use crate::measure::Scene;
use crate::place::{Database, Place};
use crate::server::Server;
use crate::subject::kinds;
use crate::venv;

/// What a part of the run found.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) figures: Vec<Figure>,
    pub(crate) has_failed: bool,
}

impl Found {
    /// Adds what another part of the run found; one that failed takes nothing from the others.
    pub(crate) fn add(&mut self, more: Result<Self>) {
        match more {
            Ok(more) => {
                self.figures.extend(more.figures);
                self.has_failed |= more.has_failed;
            }
            Err(error) => {
                println!("FAILED: {error:#}");
                self.has_failed = true;
            }
        }
    }
}

/// Runs what was asked for. A database that fails is told of, and leaves the figures that it has.
pub(crate) async fn run(arguments: &Arguments, layout: Layout) -> Result<Found> {
    let progress = ProgressBar::new_spinner();
    progress.set_style(ProgressStyle::with_template("{spinner} [{elapsed_precise}] {msg}")?);
    let mut found = Found::default();
    for database in arguments.databases() {
        progress.set_message(format!("starting {}", database.title()));
        progress.tick();
        if let Err(error) = on(arguments, layout, database, &progress, &mut found.figures).await {
            tell(&progress, &format!("FAILED on {}: {error:#}", database.title()));
            found.has_failed = true;
        }
    }
    progress.finish_and_clear();
    Ok(found)
}

/// A line that stays, also where there is no terminal.
fn tell(progress: &ProgressBar, line: &str) {
    if progress.is_hidden() { println!("{line}") } else { progress.println(line) }
}

async fn on(
    arguments: &Arguments,
    layout: Layout,
    database: Database,
    progress: &ProgressBar,
    figures: &mut Vec<Figure>,
) -> Result<()> {
    let server = tokio::task::spawn_blocking(move || Server::start(database)).await??;
    tell(progress, &format!("{} {}, {}", database.title(), server.version(), layout.name()));
    let mut scene = scene(arguments, layout, server.place()?, progress).await?;
    scene.try_all().await?;
    for measure in arguments.measures() {
        if measure.needs(layout) && measure.applies(database) {
            let start = Instant::now();
            scene.run(measure).await.with_context(|| format!("{measure:?}"))?;
            figures.append(&mut scene.figures);
            tell(progress, &format!("  {measure:?}: {:.0} s", start.elapsed().as_secs_f64()));
        }
    }
    Ok(())
}

async fn scene(
    arguments: &Arguments,
    layout: Layout,
    place: Place,
    progress: &ProgressBar,
) -> Result<Scene> {
    let python = !arguments.no_python && venv::python().is_some();
    Ok(Scene {
        place,
        layout,
        kinds: kinds(place.database, python),
        eye: Eye::open(place).await?,
        rounds: arguments.rounds,
        progress: progress.clone(),
        failed: Vec::new(),
        figures: Vec::new(),
    })
}
