use super::{Claim, FADES, Outcome, Report, Roster};
use std::time::{Duration, Instant};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn enters(seconds: u64, weight: u32, capacity: u32) -> Report {
    let claim = Claim { section: "a".to_owned(), weight, capacity };
    Report::Enter { stay: 1, claims: vec![claim], granted: at(seconds), token: None }
}

fn leads(seconds: u64, token: u64) -> Report {
    let claim = Claim { section: "a".to_owned(), weight: 1, capacity: 1 };
    Report::Enter { stay: token, claims: vec![claim], granted: at(seconds), token: Some(token) }
}

/// A roster at one moment.
struct Scene(Roster, Instant);

impl Scene {
    fn new() -> Self {
        Self(Roster::default(), Instant::now())
    }

    fn report(&mut self, who: u64, report: Report) -> Outcome {
        self.0.report(who, report, self.1)
    }

    /// Nobody may be accused, whatever time passes.
    fn ends_clean(mut self) {
        assert_eq!(self.later(), [""; 0]);
    }

    fn later(&mut self) -> Vec<String> {
        self.0.tick(self.1 + FADES + at(1)).violations
    }
}

#[test]
fn one_after_the_other_is_fine() {
    let mut scene = Scene::new();
    assert_eq!(scene.report(1, enters(1, 1, 1)).go, [(1, 1)]);
    assert_eq!(scene.report(1, Report::Leave(1)).go, [(1, 1)]);
    assert_eq!(scene.report(2, enters(2, 1, 1)).go, [(2, 1)]);
    scene.ends_clean();
}

#[test]
fn two_who_both_stay_are_an_overlap() {
    let mut scene = Scene::new();
    scene.report(1, enters(1, 1, 1));
    assert!(scene.report(2, enters(2, 1, 1)).go.is_empty());
    assert!(scene.report(1, Report::Leave(1)).go.is_empty(), "it waits: it may be lost");
    assert_eq!(scene.later().len(), 1);
}

#[test]
fn one_who_is_lost_or_dead_is_none() {
    for report in [Some(Report::Out(1, None)), Some(Report::Out(1, Some(at(1)))), None] {
        let mut scene = Scene::new();
        scene.report(1, enters(1, 1, 1));
        scene.report(2, enters(2, 1, 1));
        let outcome = match report {
            Some(report) => scene.report(1, report),
            None => scene.0.died(1, scene.1),
        };
        assert_eq!(outcome.go, [(2, 1)]);
        scene.ends_clean();
    }
}

#[test]
fn the_second_may_be_the_one_that_is_lost() {
    let mut scene = Scene::new();
    scene.report(1, enters(2, 1, 1));
    scene.report(2, enters(1, 1, 1));
    assert_eq!(scene.report(2, Report::Out(1, Some(at(1)))).go, [(1, 1)]);
    scene.ends_clean();
}

#[test]
fn one_whose_server_fell_silent_may_not_have_worked_on() {
    let mut scene = Scene::new();
    scene.report(1, enters(1, 1, 1));
    scene.report(2, enters(2, 1, 1));
    scene.report(1, Report::Out(1, Some(at(3))));
    assert_eq!(scene.later().len(), 1);
    let mut scene = Scene::new();
    scene.report(1, enters(1, 1, 1));
    scene.report(1, Report::Out(1, Some(at(3))));
    assert!(scene.report(2, enters(2, 1, 1)).go.is_empty(), "its word came later");
    assert_eq!(scene.later().len(), 1);
    let mut scene = Scene::new();
    scene.report(1, enters(1, 1, 1));
    scene.report(1, Report::Out(1, Some(at(3))));
    assert_eq!(scene.report(2, enters(4, 1, 1)).go, [(2, 1)]);
    scene.ends_clean();
}

#[test]
fn a_semaphore_has_room_for_so_many() {
    let mut scene = Scene::new();
    assert_eq!(scene.report(1, enters(1, 1, 2)).go.len(), 1);
    assert_eq!(scene.report(2, enters(1, 1, 2)).go.len(), 1);
    assert_eq!(scene.report(3, enters(2, 1, 2)).go.len(), 0);
    assert_eq!(scene.report(2, Report::Leave(1)).go.len(), 0);
    let mut go = scene.report(1, Report::Out(1, None)).go;
    go.sort_unstable();
    assert_eq!(go, [(2, 1), (3, 1)]);
    scene.ends_clean();
}

#[test]
fn readers_share_and_a_writer_does_not() {
    let mut scene = Scene::new();
    scene.report(1, enters(1, 1, 100));
    assert_eq!(scene.report(2, enters(1, 1, 100)).go.len(), 1);
    assert_eq!(scene.report(3, enters(2, 100, 100)).go.len(), 0);
    scene.report(1, Report::Out(1, None));
    assert_eq!(scene.later().len(), 1, "the other reader stands");
}

#[test]
fn tokens_rise_unless_the_late_one_is_lost() {
    let mut scene = Scene::new();
    for token in [1, 3] {
        scene.report(1, leads(token, token));
        scene.report(1, Report::Leave(token));
    }
    assert!(scene.report(2, leads(4, 2)).go.is_empty());
    scene.report(2, Report::Out(2, None));
    assert_eq!(scene.later(), [""; 0]);
    scene.report(2, leads(5, 2));
    assert_eq!(scene.later().len(), 1);
    assert_eq!(scene.report(2, leads(6, 3)).violations.len(), 1, "a token has one holder");
}
