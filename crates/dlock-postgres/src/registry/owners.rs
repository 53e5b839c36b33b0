//! Locks on one session that claim one key and let go of it, step by step: every order there is. Each step
//! is one call of the registry's, under its mutex, or one statement, which the server takes in the order in
//! which they were queued; so these orders are all that threads can bring about.

use super::{Claim, Registry, lock};
use crate::key::Number;
use std::collections::HashSet;

const KEY: Number = Number::Single(1);

/// What a lock does next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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
            Next::ClaimAgain if registry.set(KEY, self.number, Claim::Wanted) => {
                return Next::Unlock;
            }
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

/// Where all of them stand: owners, whose the claim is and whether it says held, what the server says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    owners: Vec<Owner>,
    claim: Option<(u64, bool)>,
    holds: u32,
    was_freed_by_hand: bool,
}

impl State {
    /// One holds a key, which the server says so often, or nobody does; the others want it.
    fn new(holds: Option<u32>, others: u64) -> Self {
        let first = if holds.is_some() { Next::ClaimAgain } else { Next::Claim };
        let mut owners = vec![Owner::new(1, first)];
        owners.extend((0..others).map(|other| Owner::new(other + 2, Next::Claim)));
        let was_freed_by_hand = holds == Some(0);
        let claim = holds.map(|_| (1, true));
        Self { owners, claim, holds: holds.unwrap_or_default(), was_freed_by_hand }
    }

    /// What comes next: each owner that goes on may be the one that does.
    fn next(&self) -> Vec<Self> {
        let left = (0..self.owners.len()).filter(|it| self.owners[*it].next != Next::Nothing);
        left.map(|owner| self.after(owner)).collect()
    }

    fn after(&self, owner: usize) -> Self {
        let (registry, mut after) = (Registry::new(0), self.clone());
        if let Some((number, is_held)) = self.claim {
            let claim = if is_held { Claim::Held } else { Claim::Wanted };
            lock(&registry.keys).insert(KEY, (number, claim));
        }
        let mut session = Session { registry, holds: self.holds };
        after.owners[owner].step(&mut session);
        let keys = lock(&session.registry.keys);
        after.claim = keys.get(&KEY).map(|(number, it)| (*number, matches!(it, Claim::Held)));
        after.holds = session.holds;
        after
    }

    fn check(&self) {
        assert!(self.holds <= 1, "two hold it: {self:?}");
        // Nobody has told the one whose key was freed by hand.
        let is_told = |owner: &&Owner| !self.was_freed_by_hand || owner.number > 1;
        let believers = self.owners.iter().filter(|owner| owner.believes());
        let believers = believers.filter(is_told).count();
        assert!(believers <= 1 && (believers == 0 || self.holds == 1), "it was taken: {self:?}");
    }
}

/// How each order ends: who had the key. Orders that lead to the same state go on as one.
fn every_order(first: State) -> HashSet<Vec<bool>> {
    let (mut seen, mut left, mut ends) = (HashSet::new(), vec![first], HashSet::new());
    while let Some(state) = left.pop() {
        state.check();
        let next = state.next();
        if next.is_empty() {
            assert_eq!((state.holds, state.claim), (0, None), "it stays behind: {state:?}");
            ends.insert(state.owners.iter().map(|owner| owner.had_it).collect());
        }
        left.extend(next.into_iter().filter(|state| seen.insert(state.clone())));
    }
    ends
}

#[test]
fn all_want_it() {
    let ends = every_order(State::new(None, 2));
    assert!(ends.iter().all(|had| had.contains(&true)), "nobody had it");
    assert!(ends.contains(&vec![true, false, false]) && ends.contains(&vec![true, true, true]));
}

#[test]
fn one_lets_go_while_others_want_it() {
    let ends = every_order(State::new(Some(1), 2));
    assert!(ends.contains(&vec![true, false, false]) && ends.contains(&vec![true, true, true]));
}

/// The caller has unlocked it by hand, and the lock that held it does not know.
#[test]
fn one_was_freed_by_hand() {
    let ends = every_order(State::new(Some(0), 2));
    assert!(ends.contains(&vec![true, true, false]) && ends.contains(&vec![true, true, true]));
}
