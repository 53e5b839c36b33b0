//! Two locks on one session that claim one key and let go of it, step by step: every order there is. Each step
//! is one call of the registry's, under its mutex, or one statement, which the server takes in the order in
//! which they were queued; so these orders are all that threads can bring about.

use super::{Claim, Registry, lock};
use crate::key::Number;

const KEY: Number = Number::Single(1);

/// What a lock does next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Claim,
    Look(u64),
    ClaimFrom(u64),
    Try,
    SetHeld,
    ClaimAgain,
    Unlock,
    LetClaim,
    Free,
    Nothing,
}

/// A lock: its number and how far it is.
struct Owner {
    number: u64,
    next: Next,
    had_it: bool,
}

/// A session: what is known of it here, and how often the server says that it holds the key.
struct Session {
    registry: Registry,
    holds: u32,
}

impl Owner {
    fn new(number: u64, next: Next) -> Self {
        Self { number, next, had_it: next == Next::ClaimAgain }
    }

    /// Whether it believes to hold the key.
    fn believes(&self) -> bool {
        matches!(self.next, Next::ClaimAgain)
    }

    fn step(&mut self, session: &mut Session) {
        self.next = match self.next {
            Next::Claim | Next::Look(_) | Next::ClaimFrom(_) => self.claim(session),
            Next::Try | Next::SetHeld => self.take(session),
            _ => self.let_go(session),
        };
    }

    fn claim(&self, Session { registry, holds }: &Session) -> Next {
        match self.next {
            Next::Look(holder) if *holds == 0 => Next::ClaimFrom(holder),
            Next::Look(_) => Next::Nothing,
            Next::ClaimFrom(holder) => match registry.claim_from(holder, KEY, self.number) {
                true => Next::Try,
                false => Next::Claim,
            },
            _ => match registry.claim(KEY, self.number) {
                None => Next::Try,
                Some((holder, Claim::Held)) => Next::Look(holder),
                Some(_) => Next::Nothing,
            },
        }
    }

    fn take(&mut self, Session { registry, holds }: &mut Session) -> Next {
        if self.next == Next::Try {
            *holds += 1;
            return Next::SetHeld;
        }
        assert!(registry.set(KEY, self.number, Claim::Held), "its claim was taken");
        self.had_it = true;
        Next::ClaimAgain
    }

    fn let_go(&self, Session { registry, holds }: &mut Session) -> Next {
        match self.next {
            Next::ClaimAgain if registry.claim_again(KEY, self.number) => return Next::Unlock,
            Next::ClaimAgain => {}
            Next::Unlock => {
                *holds = holds.saturating_sub(1);
                return Next::LetClaim;
            }
            Next::LetClaim => {
                registry.set(KEY, self.number, Claim::Held);
                return Next::Free;
            }
            _ => registry.free(KEY, self.number),
        }
        Next::Nothing
    }
}

/// Runs both in the order of these turns, each one of so many, and goes on with the first where they end.
fn run(turns: &mut Vec<(usize, usize)>, holds: Option<u32>) -> [bool; 2] {
    let first = if holds.is_some() { Next::ClaimAgain } else { Next::Claim };
    let mut owners = [Owner::new(1, first), Owner::new(2, Next::Claim)];
    let mut session = Session { registry: Registry::new(0), holds: holds.unwrap_or_default() };
    if holds.is_some() {
        lock(&session.registry.keys).insert(KEY, (1, Claim::Held));
    }
    for taken in 0.. {
        let left = Vec::from_iter((0..2).filter(|owner| owners[*owner].next != Next::Nothing));
        if left.is_empty() {
            break;
        }
        if taken == turns.len() {
            turns.push((0, left.len()));
        }
        owners[left[turns[taken].0]].step(&mut session);
        check(&owners, &session, holds == Some(0));
    }
    assert_eq!(session.holds, 0, "nobody lets go of it: {turns:?}");
    assert!(lock(&session.registry.keys).is_empty(), "a claim without an owner: {turns:?}");
    owners.map(|owner| owner.had_it)
}

fn check(owners: &[Owner], session: &Session, was_freed_by_hand: bool) {
    let believe = Vec::from_iter(owners.iter().filter(|it| it.believes()).map(|it| it.number));
    assert!(session.holds <= 1, "two hold it");
    let is_first = |number: &u64| was_freed_by_hand && *number == 1;
    let count = believe.iter().filter(|number| !is_first(number)).count();
    assert!(count <= 1 && (count == 0 || session.holds == 1), "it was taken from {believe:?}");
}

/// How each order ends: who had the key.
fn every_order(holds: Option<u32>) -> Vec<[bool; 2]> {
    let (mut turns, mut ends) = (Vec::new(), Vec::new());
    loop {
        ends.push(run(&mut turns, holds));
        while turns.pop_if(|(turn, of)| *turn + 1 == *of).is_some() {}
        match turns.last_mut() {
            Some((turn, _)) => *turn += 1,
            None => return ends,
        }
    }
}

#[test]
fn both_want_it() {
    let ends = every_order(None);
    assert!(ends.iter().all(|[one, other]| *one || *other), "neither had it");
    assert!(ends.contains(&[true, false]) && ends.contains(&[true, true]));
}

#[test]
fn one_lets_go_while_the_other_wants_it() {
    let ends = every_order(Some(1));
    assert!(ends.contains(&[true, false]) && ends.contains(&[true, true]));
}

/// The caller has unlocked it by hand, and the lock that held it does not know.
#[test]
fn one_was_freed_by_hand() {
    let ends = every_order(Some(0));
    assert!(ends.contains(&[true, true]));
}
