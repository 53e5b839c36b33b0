use super::{Locks, Outcome};
use crate::mode::Mode;
use crate::resource::Lifetime::{Session, Transaction};

#[test]
fn every_pair_of_modes_follows_the_matrix() {
    for held in Mode::ALL {
        for asked in Mode::ALL {
            let mut locks = Locks::default();
            assert_eq!(locks.request(1, 7, held, Session), Outcome::Granted);
            let expected = if held.admits(asked) { Outcome::Granted } else { Outcome::Queued };
            assert_eq!(locks.request(2, 7, asked, Session), expected, "{held:?} {asked:?}");
        }
    }
}

#[test]
fn waiters_are_served_in_order() {
    let mut locks = Locks::default();
    for session in 1..=3 {
        locks.request(session, 7, Mode::Exclusive, Session);
    }
    assert!(locks.release(1, 7));
    assert!(!locks.is_waiting(2));
    assert!(locks.is_waiting(3));
    assert!(!locks.release(1, 7));
}

#[test]
fn a_reader_queues_behind_a_waiting_writer() {
    let mut locks = Locks::default();
    locks.request(1, 7, Mode::Share, Session);
    locks.request(2, 7, Mode::Exclusive, Session);
    assert_eq!(locks.request(3, 7, Mode::Share, Session), Outcome::Queued);
    locks.withdraw(2);
    assert!(!locks.is_waiting(3));
}

#[test]
fn a_second_request_of_the_holder_is_refused() {
    let mut locks = Locks::default();
    locks.request(1, 7, Mode::Share, Session);
    assert_eq!(locks.request(1, 7, Mode::Share, Session), Outcome::Refused);
    assert_eq!(locks.convert(2, 7, Mode::Share), Outcome::Refused);
}

#[test]
fn a_conversion_waits_for_the_other_holders_only() {
    let mut locks = Locks::default();
    locks.request(1, 7, Mode::Share, Session);
    locks.request(2, 7, Mode::Share, Session);
    locks.request(3, 7, Mode::Exclusive, Session);
    assert_eq!(locks.convert(1, 7, Mode::Exclusive), Outcome::Queued);
    locks.release(2, 7);
    assert!(!locks.is_waiting(1), "a conversion goes ahead of the queue");
    assert!(locks.is_waiting(3));
    assert_eq!(locks.convert(1, 7, Mode::Null), Outcome::Granted);
    assert!(!locks.is_waiting(3), "a weaker mode lets the queue on");
}

#[test]
fn the_end_of_a_transaction_frees_only_what_belongs_to_it() {
    let mut locks = Locks::default();
    locks.request(1, 7, Mode::Exclusive, Transaction);
    locks.request(1, 8, Mode::Exclusive, Session);
    locks.end_transaction(1);
    assert!(!locks.release(1, 7));
    assert!(locks.release(1, 8));
}

#[test]
fn a_cycle_is_a_deadlock_and_a_chain_is_not() {
    let mut locks = Locks::default();
    locks.request(1, 7, Mode::Exclusive, Session);
    locks.request(2, 8, Mode::Exclusive, Session);
    locks.request(1, 8, Mode::Exclusive, Session);
    assert!(!locks.is_deadlocked(1));
    locks.request(2, 7, Mode::Exclusive, Session);
    assert!(locks.is_deadlocked(1));
    locks.end_session(2);
    assert!(!locks.is_waiting(1));
    assert!(locks.lines().iter().all(|line| line.session == 1 && line.requested.is_none()));
}
