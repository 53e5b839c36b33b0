//! Leadership: one term at a time, in the order of the tokens.

use super::{Contest, alone};
use crate::dice::Dice;
use crate::event::Kind;
use crate::gate::Gate;
use crate::roster::Member;
use crate::tally::Tally;
use crate::target::Ledger;
use anyhow::Result;
use dlock_locks::{Driver, Error, Locks, Request, Term};
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// The names: terms of the first have no tokens.
pub(crate) const NAMES: [&str; 2] = ["soak-lead-a", "soak-lead-b"];

pub(crate) struct Leader<T: Ledger> {
    pub(crate) target: Arc<T>,
    pub(crate) locks: Locks<T::Driver>,
    pub(crate) roster: SocketAddr,
    pub(crate) kind: Kind,
    pub(crate) dice: Dice,
    pub(crate) gate: Gate,
    pub(crate) tally: Tally,
}

impl<T: Ledger> Leader<T> {
    /// Works until the process ends.
    pub(crate) async fn run(mut self) {
        loop {
            self.gate.pass().await;
            if let Err(error) = self.candidacy().await {
                self.count(&format!("candidacy given up: {error}"));
                sleep(self.dice.millis(1, 60)).await;
            }
        }
    }

    fn count(&self, what: &str) {
        self.tally.count(self.kind, &format!("{}: {what}", Contest::Lead));
    }

    /// Some terms, until one is the last or the time is over.
    async fn candidacy(&mut self) -> Result<()> {
        let number = usize::try_from(self.dice.below(2))?;
        let (name, limit) = (NAMES[number], self.dice.millis(50, 5_000));
        let body = Arc::new(Body {
            section: self.target.section(name),
            member: Mutex::new(Member::connect(self.roster).await?),
            dice: Mutex::new(Dice::new(self.dice.below(u64::MAX), &[])),
            sections: AtomicU64::new(0),
        });
        let request = self.locks.key(T::key(name)?)?;
        let request = if number == 0 { request } else { request.fenced() };
        let answer = timeout(limit, lead(request, Arc::clone(&body))).await;
        for _ in 0..body.sections.load(Relaxed) {
            self.count("critical sections");
        }
        match answer {
            Ok(answer) => answer?,
            Err(_) => self.count("candidacies dropped"),
        }
        Ok(())
    }
}

async fn lead<D: Driver>(request: Request<D>, body: Arc<Body>) -> Result<(), Error<D::Error>> {
    request.lead(async move |term| body.term(term).await).await
}

/// What one does who leads.
struct Body {
    section: String,
    member: Mutex<Member>,
    dice: Mutex<Dice>,
    sections: AtomicU64,
}

impl Body {
    async fn term<D: Driver>(&self, term: Term<D>) -> ControlFlow<()> {
        let (mut member, mut dice) = (self.member.lock().await, self.dice.lock().await);
        let stay = if dice.below(8) == 0 { dice.millis(500, 4_000) } else { dice.millis(0, 100) };
        let loss = || term.must_have(Duration::ZERO).err().map(|lost| lost.reason());
        let stayed = member.stay(vec![alone(&self.section)], term.token(), &loss, sleep(stay));
        if let Ok(Some(())) = stayed.await {
            self.sections.fetch_add(1, Relaxed);
        }
        match dice.below(4) {
            0 => ControlFlow::Break(()),
            1 => {
                term.resign();
                std::future::pending().await
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
