use super::*;
use crate::mode::Mode::{Exclusive, IntentExclusive, IntentShared, Shared, Update};

fn resource(name: &str) -> Resource {
    Resource { database: "master", principal: "public", name: name.encode_utf16().collect() }
}

fn session(session: u16) -> Owner {
    Owner { session, scope: Scope::Session }
}

fn transaction(session: u16) -> Owner {
    Owner { session, scope: Scope::Transaction }
}

fn granted(reply: &Reply) -> bool {
    matches!(reply, Reply::Granted)
}

fn queued(reply: Reply) -> (u64, oneshot::Receiver<Verdict>) {
    match reply {
        Reply::Queued(ticket, answer) => (ticket, answer),
        Reply::Granted => panic!("granted at once"),
    }
}

#[test]
fn every_pair_of_modes_is_granted_as_the_matrix_says() {
    let modes = [IntentShared, Shared, Update, IntentExclusive, Exclusive];
    for held in modes {
        for asked in modes {
            let mut table = LockTable::default();
            assert!(granted(&table.request(&resource("k"), session(1), held)));
            let expected = held.goes_with(asked);
            assert_eq!(table.test(&resource("k"), session(2), asked), expected);
            let reply = table.request(&resource("k"), session(2), asked);
            assert_eq!(granted(&reply), expected, "{held:?} {asked:?}");
        }
    }
}

#[test]
fn a_lock_is_counted_and_keeps_the_stronger_mode() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Update);
    table.request(&key, session(1), Exclusive);
    assert!(table.release(&key, session(1)));
    assert_eq!(table.mode(&key, session(1)), Some(Exclusive));
    assert!(table.release(&key, session(1)));
    assert_eq!(table.mode(&key, session(1)), None);
    assert!(!table.release(&key, session(1)));
    assert!(table.entries.is_empty());
}

#[test]
fn the_queue_is_served_in_order_and_newcomers_do_not_barge() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Shared);
    let (_, mut writer) = queued(table.request(&key, session(2), Exclusive));
    let (_, mut reader) = queued(table.request(&key, session(3), Shared));
    table.release(&key, session(1));
    assert_eq!(writer.try_recv(), Ok(Verdict::Granted));
    assert!(reader.try_recv().is_err());
    table.release(&key, session(2));
    assert_eq!(reader.try_recv(), Ok(Verdict::Granted));
}

#[test]
fn a_cancelled_wait_lets_those_behind_it_through() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Shared);
    let (ticket, _writer) = queued(table.request(&key, session(2), Exclusive));
    let (_, mut reader) = queued(table.request(&key, session(3), Shared));
    assert!(table.cancel(&key, ticket));
    assert!(!table.cancel(&key, ticket));
    assert_eq!(reader.try_recv(), Ok(Verdict::Granted));
}

#[test]
fn a_conversion_goes_ahead_of_the_queue() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Update);
    table.request(&key, session(2), Shared);
    let (_, mut waiter) = queued(table.request(&key, session(3), Exclusive));
    let (_, mut upgrade) = queued(table.request(&key, session(1), Exclusive));
    table.release(&key, session(2));
    assert_eq!(upgrade.try_recv(), Ok(Verdict::Granted));
    assert!(waiter.try_recv().is_err());
    table.end(1, Scope::Session);
    assert_eq!(waiter.try_recv(), Ok(Verdict::Granted));
}

#[test]
fn two_shared_holders_that_both_convert_are_a_deadlock() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Shared);
    table.request(&key, session(2), Shared);
    let (_, mut first) = queued(table.request(&key, session(1), Exclusive));
    let (_, mut second) = queued(table.request(&key, session(2), Exclusive));
    table.break_circles();
    assert_eq!(first.try_recv(), Ok(Verdict::Deadlocked));
    assert!(second.try_recv().is_err());
    assert_eq!(table.mode(&key, session(1)), Some(Shared));
    table.release(&key, session(1));
    assert_eq!(second.try_recv(), Ok(Verdict::Granted));
}

#[test]
fn a_circle_of_three_has_one_victim_that_keeps_what_it_had() {
    let mut table = LockTable::default();
    let keys = [resource("a"), resource("b"), resource("c")];
    for (key, id) in keys.iter().zip(1..) {
        table.request(key, session(id), Exclusive);
    }
    let mut waits: Vec<_> = [(1, 1), (2, 2), (3, 0)]
        .into_iter()
        .map(|(id, key)| queued(table.request(&keys[key], session(id), Exclusive)).1)
        .collect();
    table.break_circles();
    assert_eq!(waits[0].try_recv(), Ok(Verdict::Deadlocked));
    assert!(waits[1].try_recv().is_err() && waits[2].try_recv().is_err());
    assert_eq!(table.mode(&keys[0], session(1)), Some(Exclusive));
}

#[test]
fn a_plain_wait_is_no_deadlock() {
    let mut table = LockTable::default();
    let key = resource("k");
    table.request(&key, session(1), Exclusive);
    let (_, mut second) = queued(table.request(&key, session(2), Exclusive));
    let (_, mut third) = queued(table.request(&key, session(3), Exclusive));
    table.break_circles();
    assert!(second.try_recv().is_err() && third.try_recv().is_err());
    assert_eq!(table.blockers(3), [1, 2]);
}

#[test]
fn a_session_is_not_in_its_own_way() {
    let mut table = LockTable::default();
    let key = resource("k");
    assert!(granted(&table.request(&key, session(1), Exclusive)));
    assert!(granted(&table.request(&key, transaction(1), Exclusive)));
    table.end(1, Scope::Transaction);
    assert_eq!(table.mode(&key, transaction(1)), None);
    assert_eq!(table.mode(&key, session(1)), Some(Exclusive));
}

#[test]
fn databases_principals_and_letter_case_tell_locks_apart() {
    let mut table = LockTable::default();
    let mut other = resource("k");
    table.request(&other, session(1), Exclusive);
    for name in ["K", "k ", "\u{212a}"] {
        assert!(granted(&table.request(&resource(name), session(2), Exclusive)));
    }
    other.principal = "dbo";
    assert!(granted(&table.request(&other, session(2), Exclusive)));
    other.database = "tempdb";
    assert!(granted(&table.request(&other, session(2), Exclusive)));
}
