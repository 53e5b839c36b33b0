//! A row of steps, how long each took, and which failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// The steps taken so far.
pub(crate) struct Report {
    planned: usize,
    start: Instant,
    steps: Vec<Step>,
}

struct Step {
    name: &'static str,
    took: Duration,
    ending: Result<Outcome, String>,
}

/// How a step ended that did not fail.
pub(crate) enum Outcome {
    /// It was run.
    Done,
    /// It could not be run here, and why.
    NotRun(&'static str),
}

impl Report {
    /// No steps yet, of so many.
    pub(crate) fn new(planned: usize) -> Self {
        Self { planned, start: Instant::now(), steps: Vec::new() }
    }

    /// Announces a step, takes it, and says how long it took.
    pub(crate) fn step(
        &mut self,
        name: &'static str,
        what: &str,
        take: impl FnOnce() -> Result<()>,
    ) {
        self.attempt(name, what, || take().map(|()| Outcome::Done));
    }

    /// The same for a step that may be impossible here: the summary then says that it was not run.
    pub(crate) fn attempt(
        &mut self,
        name: &'static str,
        what: &str,
        take: impl FnOnce() -> Result<Outcome>,
    ) {
        println!("\n[{}/{}] {name}: {what}", self.steps.len() + 1, self.planned);
        let start = Instant::now();
        let ending = take().map_err(|error| format!("{error:#}"));
        let step = Step { name, took: start.elapsed(), ending };
        println!("{}", step.line());
        self.steps.push(step);
    }

    /// Prints a line for each step.
    ///
    /// # Errors
    /// Returns an error that names the steps that failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!("\nsummary");
        for step in &self.steps {
            println!("  {}", step.line());
        }
        println!("  {:<12} {:>7.1} s", "in all", self.start.elapsed().as_secs_f64());
        let failed = self.steps.iter().filter(|step| step.ending.is_err());
        let failed: Vec<&str> = failed.map(|step| step.name).collect();
        if !failed.is_empty() {
            bail!("these steps failed: {}; what went wrong is above", failed.join(", "));
        }
        Ok(())
    }
}

impl Step {
    fn line(&self) -> String {
        let seconds = self.took.as_secs_f64();
        let ending = match &self.ending {
            Ok(Outcome::Done) => "ok".to_owned(),
            Ok(Outcome::NotRun(why)) => format!("NOT RUN: {why}"),
            Err(failure) => format!("FAILED: {failure}"),
        };
        format!("{:<12} {seconds:>7.1} s  {ending}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Report};
    use anyhow::anyhow;

    #[test]
    fn a_failed_step_is_named_and_the_others_are_taken() {
        let mut report = Report::new(3);
        let mut taken = 0;
        report.step("one", "first", || Ok(()));
        report.step("two", "second", || Err(anyhow!("broken")));
        report.step("three", "third", || {
            taken += 1;
            Ok(())
        });
        let error = report.finish().expect_err("a step failed");
        assert_eq!(error.to_string(), "these steps failed: two; what went wrong is above");
        assert_eq!(taken, 1);
    }

    #[test]
    fn steps_that_all_went_well_are_no_error() {
        let mut report = Report::new(1);
        report.step("one", "first", || Ok(()));
        report.finish().expect("no step failed");
    }

    #[test]
    fn a_step_that_was_not_run_is_no_error_and_is_told_as_such() {
        let mut report = Report::new(1);
        report.attempt("one", "first", || Ok(Outcome::NotRun("nothing to run it on")));
        assert!(report.steps[0].line().ends_with("NOT RUN: nothing to run it on"));
        report.finish().expect("no step failed");
    }
}
