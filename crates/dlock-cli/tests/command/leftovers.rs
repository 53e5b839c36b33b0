//! What a command leaves behind.

use crate::fixture::{
    marked, ms, name, nobody_is_left_when_the_key_is_free, output, run, shared, start, until_marked,
};
use std::time::Instant;

#[test]
fn what_outlives_the_command_is_ended() {
    let (key, mark) = (name("left"), name("left"));
    let script = "sleep 1000 & setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' & exit 4";
    assert_eq!(output(run(shared(), &key, &[], &mark, script)).0, 4);
    assert_eq!(marked(&mark), []);
}

#[test]
fn what_ignores_the_request_is_killed() {
    let (key, mark) = (name("deaf"), name("deaf"));
    let script =
        "trap '' TERM HUP INT; (setsid sh -c 'while :; do sleep 0.05; done' &); sleep 0.1; exit 0";
    let began = Instant::now();
    let mut running = start(run(shared(), &key, &["--kill-after", "0.8"], &mark, script));
    until_marked(&mark, 2);
    nobody_is_left_when_the_key_is_free(shared(), &key, &mark);
    assert!(began.elapsed() >= ms(800));
    assert_eq!((running.status(), marked(&mark)), (0, Vec::new()));
}

#[test]
fn what_outlives_the_command_may_be_waited_for() {
    let (key, mark) = (name("wait"), name("wait"));
    let script = "setsid sh -c 'sleep 0.7; echo late' & exit 6";
    let began = Instant::now();
    let (status, shown, _) = output(run(shared(), &key, &["--leftovers", "wait"], &mark, script));
    assert_eq!((status, shown.as_str(), marked(&mark)), (6, "late\n", Vec::new()));
    assert!(began.elapsed() >= ms(700));
}

#[test]
fn one_that_forks_all_the_time_is_ended() {
    let (key, mark) = (name("forks"), name("forks"));
    let script = "trap '' TERM; (while :; do sh -c 'sleep 0.02; sh -c \"sleep 1\" & sleep 1' & sleep 0.01; done) & sleep 0.3";
    let status = output(run(shared(), &key, &["--kill-after", "0.3"], &mark, script)).0;
    assert_eq!((status, marked(&mark)), (0, Vec::new()));
}
