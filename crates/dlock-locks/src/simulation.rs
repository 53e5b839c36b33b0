//! Several processes with models of their own against one server: a queue for each key, sessions that
//! hold and wait, messages that take their time. Everything is in virtual time, from a seed.

mod any;
mod callers;
mod faults;
mod figures;
mod happening;
mod plan;
mod process;
mod server;
mod task;
mod wire;
mod world;

use figures::Figures;
use plan::Plan;
use std::time::Duration;
use task::Work;
use world::World;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn tasks(work: Work, each: usize, processes: usize) -> Vec<(Work, Vec<usize>)> {
    vec![(work, vec![each; processes])]
}

/// How long the same work takes with nothing in between: its busiest key is always held.
fn ideal(tasks: usize, keys: u32, rounds: usize, hold: Duration) -> Figures {
    let mut plan = Plan::new(1, tasks_of_one(tasks, keys, rounds, hold));
    plan.settings.stay = Duration::from_secs(1_000_000);
    plan.settings.max_keys = usize::MAX;
    plan.round_trip = Duration::from_nanos(2);
    World::run(plan)
}

fn tasks_of_one(count: usize, keys: u32, rounds: usize, hold: Duration) -> Vec<(Work, Vec<usize>)> {
    tasks(Work::exclusive(keys, hold, rounds), count, 1)
}

#[test]
fn throughput_in_one_two_and_four_processes() {
    for (processes, keys) in [(1, 200), (2, 200), (4, 200), (4, 40)] {
        let ideal = ideal(1000, keys, 20, ms(5));
        let work = Work::exclusive(keys, ms(5), 20);
        let mut plan = Plan::new(processes, tasks(work, 1000 / processes, processes));
        (plan.settings.max_waiting, plan.settings.max_sessions) = (9, 10);
        let figures = World::run(plan);
        let ratio = figures.end.as_secs_f64() / ideal.end.as_secs_f64();
        println!("{processes} processes, {keys} keys: {ratio:.2} x ideal; {figures}");
        assert!(ratio <= 2.0, "{ratio}");
        assert!(figures.longest() <= ideal.longest() * 8, "{figures} beside {ideal}");
        assert_eq!(figures.waits.len(), 20_000);
    }
}

/// One process has many tasks in a closed loop, the other a few: both are served.
#[test]
fn a_small_process_beside_a_greedy_one() {
    let work = Work::exclusive(1, ms(5), 1_000_000);
    let mut plan = Plan::new(2, vec![(work.clone(), vec![50, 0]), (work, vec![0, 2])]);
    plan.limit = Duration::from_secs(20);
    let figures = World::run(plan);
    println!("50 tasks against 2 on one key: {figures}");
    let [many, few] = figures.served[..] else { panic!("two kinds") };
    assert!(few * 50 >= many, "{figures}");
    assert!(figures.longest() < Duration::from_secs(3), "{figures}");
}

/// Readers of two processes overlap without end, and a writer of each is let in.
#[test]
fn a_writer_among_readers_of_two_processes() {
    let reader = Work::shared(1, ms(20), 1_000_000);
    let writer = Work { rest: ms(50), ..Work::exclusive(1, ms(5), 1_000_000) };
    let mut plan = Plan::new(2, vec![(reader, vec![10, 10]), (writer, vec![1, 1])]);
    plan.limit = Duration::from_secs(20);
    let figures = World::run(plan);
    println!("20 readers, 2 writers: {figures}");
    assert!(figures.served[1] > 40, "{figures}");
    assert!(figures.longest() < Duration::from_secs(1), "{figures}");
}

/// A reader takes its time; others of its process join it as if it were of another process.
#[test]
fn readers_join_one_that_stays() {
    let long = Work::shared(1, Duration::from_secs(5), 1);
    let short = Work { rest: ms(30), ..Work::shared(1, ms(5), 100) };
    let plan = Plan::new(1, vec![(long, vec![1]), (short, vec![3])]);
    let figures = World::run(plan);
    println!("3 readers beside one of 5 s: {figures}");
    assert!(figures.longest() < ms(100), "{figures}");
}

/// Every session waits for a key that is held for long, and there are more such keys than sessions.
#[test]
fn sessions_run_out() {
    let long = Work::exclusive(30, Duration::from_secs(1), 3);
    let short = Work { keys: 31, ..Work::exclusive(31, ms(1), 50) };
    let mut plan = Plan::new(2, vec![(long, vec![10, 10]), (short, vec![10, 10])]);
    (plan.settings.max_waiting, plan.settings.max_sessions) = (2, 4);
    plan.max_connections = 5;
    let figures = World::run(plan);
    println!("5 sessions for 2 processes, 40 tasks: {figures}");
    assert_eq!(figures.waits.len() + figures.refused, 60 + 1000, "{figures}");
}

#[test]
fn cut_sessions_are_given_up_before_the_server_gives_their_keys_away() {
    for seed in 0..10 {
        let work = Work {
            rest: ms(20),
            holds: vec![ms(20), ms(20), ms(5000)],
            ..Work::exclusive(5, ms(50), 30)
        };
        let mut plan = Plan::new(2, tasks(work, 5, 2));
        plan.settings.lease = Duration::from_secs(3);
        (plan.cuts, plan.seed) = (Some(Duration::from_secs(4)), seed);
        let figures = World::run(plan);
        println!("cuts: {figures}");
        assert_eq!(figures.waits.len(), 300);
        assert!(figures.lost > 0, "{figures}");
    }
}

/// A process stands still for longer than its sessions are trusted, and what its tasks do comes at once then.
#[test]
fn nobody_is_given_what_is_lost_already() {
    let mut lost = 0;
    for seed in 0..20 {
        let work = Work { rest: ms(1), ..Work::exclusive(2, ms(20), 100) };
        let readers = Work { rest: ms(1), ..Work::shared(2, ms(20), 100) };
        let mut plan = Plan::new(2, vec![(work, vec![3, 3]), (readers, vec![3, 3])]);
        plan.settings.lease = Duration::from_secs(3);
        plan.settings.stay = Duration::from_secs(60);
        (plan.stalls, plan.seed) = (Some((ms(2000), ms(6000))), seed);
        let figures = World::run(plan);
        println!("processes that stand still: {figures}");
        lost += figures.lost;
    }
    assert!(lost > 0, "they stood still for long enough");
}

#[test]
fn what_is_held_for_long_is_kept() {
    let long = Work::exclusive(3, Duration::from_secs(60), 1);
    let figures = World::run(Plan::new(2, tasks(long, 3, 2)));
    println!("6 tasks that hold for a minute: {figures}");
    assert_eq!((figures.lost, figures.waits.len()), (0, 6), "{figures}");
}
