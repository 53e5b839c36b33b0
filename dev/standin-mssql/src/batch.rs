//! The interpreter: it runs the statements of a batch on behalf of a session.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use crate::datum::{Datum, Type};
use crate::engine::Engine;
use crate::evaluate::Scope;
use crate::fault::Fault;
use crate::session::Session;
use crate::syntax::{Expression, Item, Select, Statement};
use crate::token::{Answer, COUNT, ERROR};
use crate::transaction;

const SELECT: u16 = 193;
pub(crate) const OTHER: u16 = 0;

/// Where the batch goes after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
    /// The batch or procedure ends, with this status.
    Return(i32),
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Flow, Fault>> + Send + 'a>>;

/// A batch while it runs.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a mut Session,
    pub(crate) answer: &'a mut Answer,
    pub(crate) variables: BTreeMap<String, Datum>,
    /// What is being caught, the innermost last.
    pub(crate) caught: Vec<Fault>,
    /// How many TRY blocks the statement is in.
    tries: u32,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        engine: &'a Engine,
        session: &'a mut Session,
        answer: &'a mut Answer,
    ) -> Batch<'a> {
        Batch { engine, session, answer, variables: BTreeMap::new(), caught: Vec::new(), tries: 0 }
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            engine: self.engine,
            session: self.session,
            variables: &self.variables,
            caught: self.caught.last(),
            row: None,
            group: None,
        }
    }

    pub(crate) fn catches(&self) -> bool {
        self.tries > 0
    }

    /// Runs a text to its end; what it cannot do is in the answer. Gives the status.
    pub(crate) async fn run_text(&mut self, text: &str) -> i32 {
        let outcome = self.text(text).await;
        self.conclude(outcome)
    }

    /// Puts the error that ended a batch into the answer.
    pub(crate) fn conclude(&mut self, outcome: Result<Flow, Fault>) -> i32 {
        let status = match outcome {
            Ok(Flow::Return(status)) => status,
            Ok(_) => 0,
            Err(fault) => {
                self.report(&fault);
                if self.session.xact_abort || self.session.doomed {
                    // Without a transaction there is nothing to roll back.
                    let _ = self.rollback(None);
                }
                -6
            }
        };
        if self.session.doomed {
            let message = "Uncommittable transaction is detected at the end of the batch. The transaction is rolled back.";
            self.report(&Fault::new(3998, message));
            // It is open: it was doomed.
            let _ = self.rollback(None);
        }
        status
    }

    /// Parses and runs a text with the variables of this batch.
    pub(crate) async fn text(&mut self, text: &str) -> Result<Flow, Fault> {
        let statements = self.engine.plans.of(text, self.variables.keys())?;
        self.run_all(&statements).await
    }

    fn run_all<'s>(&'s mut self, statements: &'s [Statement]) -> Running<'s> {
        Box::pin(async move {
            for statement in statements {
                match self.run(statement).await {
                    Ok(Flow::Next) => {}
                    Ok(flow) => return Ok(flow),
                    Err(fault) => self.survive(fault)?,
                }
            }
            Ok(Flow::Next)
        })
    }

    /// Goes on after an error that neither ends the batch nor is caught.
    fn survive(&mut self, fault: Fault) -> Result<(), Fault> {
        let aborts = self.session.xact_abort && fault.number != 50000;
        if self.catches() || fault.ends_batch || aborts {
            return Err(fault);
        }
        self.report(&fault);
        Ok(())
    }

    fn report(&mut self, fault: &Fault) {
        self.session.error = fault.number;
        self.answer.fault(fault);
        self.answer.done(ERROR, OTHER, 0);
    }

    fn run<'s>(&'s mut self, statement: &'s Statement) -> Running<'s> {
        Box::pin(async move {
            match statement {
                Statement::Block(all) => self.run_all(all).await,
                Statement::If(condition, then, otherwise) => {
                    let met = self.scope().truth(condition)? == Some(true);
                    match if met { Some(then) } else { otherwise.as_ref() } {
                        Some(taken) => self.run(taken).await,
                        None => Ok(Flow::Next),
                    }
                }
                Statement::While(condition, body) => self.repeat(condition, body).await,
                Statement::Try(body, handler) => self.attempt(body, handler).await,
                Statement::Break => Ok(Flow::Break),
                Statement::Continue => Ok(Flow::Continue),
                Statement::Return(status) => self.finish(status.as_ref()),
                Statement::Execute(into, procedure, arguments) => {
                    self.execute(into.as_deref(), procedure, arguments).await
                }
                Statement::ExecuteText(text) => self.execute_text(text).await,
                Statement::WaitFor(delay) => self.wait(delay).await,
                simple => self.run_simple(simple).map(|()| Flow::Next),
            }
        })
    }

    async fn wait(&mut self, delay: &Expression) -> Result<Flow, Fault> {
        let delay = delay_of(&self.scope().value(delay)?)?;
        tokio::time::sleep(delay).await;
        self.done(OTHER, None);
        Ok(Flow::Next)
    }

    async fn repeat(&mut self, condition: &Expression, body: &Statement) -> Result<Flow, Fault> {
        while self.scope().truth(condition)? == Some(true) {
            match self.run(body).await? {
                Flow::Break => break,
                flow @ Flow::Return(_) => return Ok(flow),
                Flow::Next | Flow::Continue => tokio::task::yield_now().await,
            }
        }
        Ok(Flow::Next)
    }

    async fn attempt(&mut self, body: &[Statement], handler: &[Statement]) -> Result<Flow, Fault> {
        self.tries += 1;
        let outcome = self.run_all(body).await;
        self.tries -= 1;
        let fault = match outcome {
            Err(fault) if fault.class < 20 => fault,
            other => return other,
        };
        self.session.doomed |= self.session.xact_abort && self.session.transactions > 0;
        self.session.error = fault.number;
        self.caught.push(fault);
        let outcome = self.run_all(handler).await;
        self.caught.pop();
        outcome
    }

    fn finish(&mut self, status: Option<&Expression>) -> Result<Flow, Fault> {
        let status = match status {
            Some(status) => self.scope().value(status)?.as_integer()?,
            None => None,
        };
        let status = i32::try_from(status.unwrap_or_default());
        Ok(Flow::Return(status.map_err(|_| Fault::overflow(Type::Int))?))
    }

    /// Statements that neither wait nor contain others.
    fn run_simple(&mut self, statement: &Statement) -> Result<(), Fault> {
        match statement {
            Statement::Declare(all) => {
                for declaration in all {
                    let value = match &declaration.value {
                        Some(value) => self.scope().value(value)?.convert(declaration.of)?,
                        None => declaration.of.null(),
                    };
                    self.variables.insert(declaration.name.clone(), value);
                }
                Ok(())
            }
            Statement::Assign(name, value) => {
                let value = self.scope().value(value)?;
                self.assign(name, &value)
            }
            Statement::Select(query) => self.query(query),
            Statement::Set(setting) => self.set(setting),
            Statement::Begin | Statement::Commit | Statement::Rollback(_) | Statement::Save(_) => {
                self.transact(statement)
            }
            Statement::Throw(_) | Statement::Raise(..) | Statement::Print(_) => self.say(statement),
            Statement::Kill(_) | Statement::Use(_) => self.administer(statement),
            other => self.change(other),
        }
    }

    pub(crate) fn assign(&mut self, name: &str, value: &Datum) -> Result<(), Fault> {
        let of = self.variables.get(name).map(Datum::of_type);
        let of = of.ok_or_else(|| Fault::undeclared(name))?;
        self.variables.insert(name.to_owned(), value.convert(of)?);
        Ok(())
    }

    /// Ends a statement in the answer, with a count of rows where there is one.
    pub(crate) fn done(&mut self, command: u16, rows: Option<u64>) {
        self.session.error = 0;
        self.session.rows = rows.unwrap_or_default();
        match rows {
            Some(rows) if !self.session.no_count => self.answer.done(COUNT, command, rows),
            Some(_) if self.answer.depth > 0 => {}
            _ => self.answer.done(0, command, 0),
        }
    }

    fn query(&mut self, query: &Select) -> Result<(), Fault> {
        self.begin_implicitly(query.source.is_some());
        let found = self.scope().select(query)?;
        let count = u64::try_from(found.rows.len()).unwrap_or_default();
        if query.items.iter().any(|item| matches!(item, Item::Assign(..))) {
            for (item, place) in query.items.iter().zip(0..) {
                let (Item::Assign(name, _), Some(row)) = (item, found.rows.last()) else {
                    continue;
                };
                self.assign(name, &row[place].clone())?;
            }
        } else {
            self.answer.columns(&found.columns);
            found.rows.iter().for_each(|row| self.answer.row(row));
        }
        self.done(SELECT, Some(count));
        Ok(())
    }

    pub(crate) fn begin_implicitly(&mut self, needed: bool) {
        if needed && self.session.implicit_transactions && self.session.transactions == 0 {
            self.begin();
        }
    }

    fn transact(&mut self, statement: &Statement) -> Result<(), Fault> {
        let command = match statement {
            Statement::Begin => {
                self.begin();
                transaction::BEGIN
            }
            Statement::Commit => {
                self.commit()?;
                transaction::COMMIT
            }
            Statement::Save(name) => {
                self.save(name)?;
                OTHER
            }
            Statement::Rollback(to) => {
                self.rollback(to.as_deref())?;
                transaction::ROLLBACK
            }
            _ => OTHER,
        };
        self.done(command, None);
        Ok(())
    }
}

/// `hh:mm[:ss[.mmm]]`.
fn delay_of(value: &Datum) -> Result<Duration, Fault> {
    let text = value.as_text().unwrap_or_default();
    let message = format!("Incorrect time syntax in time string '{text}' used with WAITFOR.");
    let wrong = || Fault::new(148, message.clone()).class(15).ending();
    let mut seconds = 0.0;
    let parts: Vec<&str> = text.trim().split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return Err(wrong());
    }
    for (part, worth) in parts.iter().zip([3600.0, 60.0, 1.0]) {
        seconds += part.parse::<f64>().map_err(|_| wrong())? * worth;
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}
