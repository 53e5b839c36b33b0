use super::{Life, Reply, Table};
use crate::Mode::{Exclusive, Shared};
use crate::queue::{Answer, Queue};

#[test]
fn shared_requests_wait_behind_an_exclusive_one() {
    let mut table = Table::default();
    let [reader, writer, late] = [
        table.connect(Life::default()),
        table.connect(Life::default()),
        table.connect(Life::default()),
    ];
    assert!(matches!(table.ask(reader, "k", Shared, true), Reply::Granted));
    let Reply::Queued { answer: mut written, ticket } = table.ask(writer, "k", Exclusive, true)
    else {
        panic!("a writer waits for the reader");
    };
    assert!(matches!(table.ask(late, "k", Shared, false), Reply::Refused));
    let Reply::Queued { answer: mut read, .. } = table.ask(late, "k", Shared, true) else {
        panic!("a late reader waits for the writer");
    };
    assert!(written.try_recv().is_err() && read.try_recv().is_err());
    assert!(table.withdraw("k", ticket) && !table.withdraw("k", ticket));
    assert_eq!(read.try_recv(), Ok(Answer::Granted));
    assert_eq!(table.queue("k").map(Queue::holders), Some(2));
}

#[test]
fn the_request_that_closes_a_cycle_of_three_is_refused() {
    let mut table = Table::default();
    let sessions = [
        table.connect(Life::default()),
        table.connect(Life::default()),
        table.connect(Life::default()),
    ];
    for (session, key) in sessions.iter().zip(["a", "b", "c"]) {
        assert!(matches!(table.ask(*session, key, Exclusive, true), Reply::Granted));
    }
    assert!(matches!(table.ask(sessions[0], "b", Exclusive, true), Reply::Queued { .. }));
    assert!(matches!(table.ask(sessions[1], "c", Shared, true), Reply::Queued { .. }));
    assert!(matches!(table.ask(sessions[2], "a", Exclusive, false), Reply::Refused));
    assert!(matches!(table.ask(sessions[2], "a", Exclusive, true), Reply::Deadlock));
    assert_eq!(table.queue("c").map(Queue::holders), Some(1));
    assert!(table.release(sessions[2], "c"));
    assert!(!table.release(sessions[2], "c"));
}

#[test]
fn a_cycle_may_go_through_a_place_in_a_queue() {
    let mut table = Table::default();
    let [reader, writer, late] = [
        table.connect(Life::default()),
        table.connect(Life::default()),
        table.connect(Life::default()),
    ];
    assert!(matches!(table.ask(reader, "k", Shared, true), Reply::Granted));
    assert!(matches!(table.ask(late, "other", Exclusive, true), Reply::Granted));
    assert!(matches!(table.ask(writer, "k", Exclusive, true), Reply::Queued { .. }));
    assert!(matches!(table.ask(reader, "other", Shared, true), Reply::Queued { .. }));
    assert!(matches!(table.ask(late, "k", Shared, true), Reply::Deadlock));
}

#[test]
fn an_ended_session_frees_and_its_waits_end() {
    let mut table = Table::default();
    let [holder, waiter, next] = [
        table.connect(Life::default()),
        table.connect(Life::default()),
        table.connect(Life::default()),
    ];
    assert!(matches!(table.ask(holder, "k", Exclusive, true), Reply::Granted));
    assert!(matches!(table.ask(holder, "k", Shared, true), Reply::AlreadyHeld));
    let [Reply::Queued { answer: mut ended, .. }, Reply::Queued { answer: mut granted, .. }] =
        [waiter, next].map(|session| table.ask(session, "k", Exclusive, true))
    else {
        panic!("both wait");
    };
    assert!(matches!(table.ask(waiter, "k", Exclusive, true), Reply::AlreadyHeld));
    table.end(&[holder, waiter]);
    assert_eq!(ended.try_recv(), Ok(Answer::Ended));
    assert_eq!(granted.try_recv(), Ok(Answer::Granted));
    assert!(matches!(table.ask(holder, "free", Exclusive, true), Reply::Ended));
    table.end(&[next]);
    assert!(table.queue("k").is_none());
}
