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
    failure: Option<String>,
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
        println!("\n[{}/{}] {name}: {what}", self.steps.len() + 1, self.planned);
        let start = Instant::now();
        let failure = take().err().map(|error| format!("{error:#}"));
        let step = Step { name, took: start.elapsed(), failure };
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
        let failed = self.steps.iter().filter(|step| step.failure.is_some());
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
        match &self.failure {
            None => format!("{:<12} {seconds:>7.1} s  ok", self.name),
            Some(failure) => format!("{:<12} {seconds:>7.1} s  FAILED: {failure}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
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
}
