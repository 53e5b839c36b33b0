//! One layout: every database and every measure, in this process.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::Arguments;
use crate::eye::Eye;
use crate::figure::{Figure, Layout};
use crate::measure::Scene;
use crate::place::{Database, Server};
use crate::subject::kinds;
use crate::venv;

/// Runs what was asked for.
pub(crate) async fn run(arguments: &Arguments, layout: Layout) -> Result<Vec<Figure>> {
    let progress = ProgressBar::new_spinner();
    progress.set_style(ProgressStyle::with_template("{spinner} [{elapsed_precise}] {msg}")?);
    let mut figures = Vec::new();
    for database in arguments.databases() {
        progress.set_message(format!("starting {}", database.name()));
        progress.tick();
        let found = on(arguments, layout, database, &progress).await;
        figures.extend(found.with_context(|| format!("measuring {}", database.name()))?);
    }
    progress.finish_and_clear();
    Ok(figures)
}

async fn on(
    arguments: &Arguments,
    layout: Layout,
    database: Database,
    progress: &ProgressBar,
) -> Result<Vec<Figure>> {
    let server = tokio::task::spawn_blocking(move || Server::start(database)).await??;
    let place = server.place()?;
    progress.println(format!("{} {}, {}", database.name(), server.version(), layout.name()));
    let mut scene = Scene {
        place,
        layout,
        kinds: kinds(database, venv::python().is_some()),
        eye: Eye::open(place).await?,
        rounds: arguments.rounds,
        progress: progress.clone(),
        failed: Vec::new(),
        figures: Vec::new(),
    };
    scene.try_all().await?;
    for measure in arguments.measures() {
        if measure.needs(layout) {
            scene.run(measure).await.with_context(|| format!("measuring {measure:?}"))?;
        }
    }
    Ok(scene.figures)
}
