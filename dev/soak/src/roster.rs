//! Who is inside which section, kept by the supervisor: apart from every lock, and from every database.
//!
//! Whoever was granted a lock comes in, with the moment since when it believes that it holds, by the clock that
//! all processes of a machine share. A section has a capacity, and each who is inside has a weight: one of
//! one where a lock is exclusive, one of n in a semaphore, all of many for a writer among readers.
//!
//! When more are inside than there is room for, somebody must be wrong: nobody of them leaves before enough of
//! them have been told that their lock is lost, or have died. If that does not come in time a promise is broken.
//! Whoever was told of a server's silence says when it last believed: that must be before the last came in.

mod member;
mod server;

pub use member::{Belief, Member};
pub use server::serve;

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

/// How long a holder may take to be told of its loss.
const FADES: Duration = Duration::from_secs(10);
/// How long one who fell silent is remembered, for one who was let in earlier and says so later.
const REMEMBERED: Duration = Duration::from_secs(20);

/// What a stay takes of a section.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// Its name.
    pub section: String,
    /// How much of it is taken.
    pub weight: u32,
    /// How much there is.
    pub capacity: u32,
}

/// Which stay: the number of a connection, and the number that it gave.
pub type Id = (u64, u64);

/// What one tells who is granted a lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Report {
    /// It comes in.
    Enter {
        /// Its number.
        stay: u64,
        /// What it takes.
        claims: Vec<Claim>,
        /// Since when it believes that it holds.
        granted: Duration,
        /// The token of its fence.
        token: Option<u64>,
    },
    /// It leaves, and knows of no loss: it waits for a word before it lets go.
    Leave(u64),
    /// It is out, without asking: it was told that its lock is lost, or does not work on. Where a server's
    /// silence is why, the moment is when it last believed.
    Out(u64, Option<Duration>),
}

#[derive(Debug)]
struct Stay {
    claims: Vec<Claim>,
    granted: Duration,
    leaves: bool,
    /// When one who is out last believed, and since when it is out.
    silent: Option<(Duration, Instant)>,
}

/// More than there is room for: somebody has to be told of a loss.
#[derive(Debug)]
struct Case {
    what: String,
    latest: Duration,
    excess: u32,
    suspects: HashMap<Id, u32>,
    opened: Instant,
}

/// What follows of a report.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Who may go on.
    pub go: Vec<Id>,
    /// Which promises are broken.
    pub violations: Vec<String>,
}

/// Everybody who is inside.
#[derive(Debug, Default)]
pub struct Roster {
    stays: HashMap<Id, Stay>,
    cases: Vec<Case>,
    tokens: HashMap<String, u64>,
}

impl Roster {
    /// What a report of this connection comes to.
    pub fn report(&mut self, connection: u64, report: Report, now: Instant) -> Outcome {
        match report {
            Report::Enter { stay, claims, granted, token } => {
                self.order((connection, stay), &claims, token, now);
                let stays = Stay { claims, granted, leaves: false, silent: None };
                self.enter((connection, stay), stays, now);
                self.settle(vec![(connection, stay)], now)
            }
            Report::Leave(stay) => {
                let id = (connection, stay);
                self.stays.entry(id).and_modify(|stay| stay.leaves = true);
                self.settle(vec![id], now)
            }
            Report::Out(stay, believed) => {
                self.out((connection, stay), believed, now);
                self.settle(Vec::new(), now)
            }
        }
    }

    /// A connection has ended: whoever it was has died.
    pub fn died(&mut self, connection: u64, now: Instant) -> Outcome {
        let all = Vec::from_iter(self.stays.keys().filter(|(of, _)| *of == connection).copied());
        all.into_iter().for_each(|id| self.out(id, None, now));
        self.settle(Vec::new(), now)
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) -> Outcome {
        let is_known = |stay: &mut Stay| {
            stay.silent.is_none_or(|(_, since)| now.saturating_duration_since(since) < REMEMBERED)
        };
        self.stays.retain(|_, stay| is_known(stay));
        self.settle(Vec::new(), now)
    }

    /// Tokens rise; one who comes late with a lower one has lost its lock.
    fn order(&mut self, id: Id, claims: &[Claim], token: Option<u64>, now: Instant) {
        let (Some(token), Some(claim)) = (token, claims.first()) else { return };
        let last = self.tokens.get(&claim.section).copied().unwrap_or_default();
        self.tokens.insert(claim.section.clone(), last.max(token));
        if token > last {
            return;
        }
        let what = format!("{}: token {token} after {last}", claim.section);
        // Nobody else has this one: no loss excuses it.
        let excess = if token == last { 2 } else { 1 };
        let suspects = HashMap::from([(id, 1)]);
        self.cases.push(Case { what, latest: Duration::MAX, excess, suspects, opened: now });
    }

    fn enter(&mut self, id: Id, stay: Stay, now: Instant) {
        let cases = stay.claims.iter().filter_map(|claim| self.case(id, &stay, claim, now));
        let cases = Vec::from_iter(cases);
        self.cases.extend(cases);
        self.stays.insert(id, stay);
    }

    fn case(&self, id: Id, stay: &Stay, claim: &Claim, now: Instant) -> Option<Case> {
        let is_inside =
            |other: &&Stay| other.silent.is_none_or(|(believed, _)| believed >= stay.granted);
        let (mut total, mut latest) = (claim.weight, stay.granted);
        let mut suspects = HashMap::from([(id, claim.weight)]);
        for (other, stay) in self.stays.iter().filter(|(_, stay)| is_inside(stay)) {
            let same = stay.claims.iter().find(|other| other.section == claim.section);
            let Some(weight) = same.map(|claim| claim.weight) else { continue };
            total += weight;
            latest = latest.max(stay.granted);
            if stay.silent.is_none() {
                suspects.insert(*other, weight);
            }
        }
        let excess = total.checked_sub(claim.capacity).filter(|excess| *excess > 0)?;
        let what = format!("{}: {total} of {} are inside", claim.section, claim.capacity);
        Some(Case { what, latest, excess, suspects, opened: now })
    }

    fn out(&mut self, id: Id, believed: Option<Duration>, now: Instant) {
        for case in &mut self.cases {
            let Some(weight) = case.suspects.remove(&id) else { continue };
            match believed.filter(|believed| *believed >= case.latest) {
                None => case.excess = case.excess.saturating_sub(weight),
                Some(believed) => {
                    let late = believed.saturating_sub(case.latest);
                    case.what += &format!(", one worked {late:?} longer and fell silent");
                }
            }
        }
        match (self.stays.get_mut(&id), believed) {
            (Some(stay), Some(believed)) => stay.silent = Some((believed, now)),
            _ => drop(self.stays.remove(&id)),
        }
    }

    /// Closes what is closed, and lets those go on who wait for nothing more.
    fn settle(&mut self, mut waiting: Vec<Id>, now: Instant) -> Outcome {
        let mut violations = Vec::new();
        for case in mem::take(&mut self.cases) {
            let possible: u32 = case.suspects.values().sum();
            let is_late = now.saturating_duration_since(case.opened) > FADES;
            match case.excess {
                0 => waiting.extend(case.suspects.into_keys()),
                excess if is_late || possible < excess => {
                    violations.push(case.what);
                    waiting.extend(case.suspects.into_keys());
                }
                _ => self.cases.push(case),
            }
        }
        waiting.retain(|id| !self.cases.iter().any(|case| case.suspects.contains_key(id)));
        let has_left = |id: &&Id| self.stays.get(*id).is_some_and(|stay| stay.leaves);
        let left = Vec::from_iter(waiting.iter().filter(has_left).copied());
        left.iter().for_each(|id| drop(self.stays.remove(id)));
        Outcome { go: waiting, violations }
    }
}

#[cfg(test)]
mod tests;
