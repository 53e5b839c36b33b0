//! The interpreter: runs a checked block step by step.

use std::collections::BTreeMap;

use super::ast::{Block, Expression, Handler, Step};
use super::check::PREDEFINED;
use super::query::Row;
use super::statement;
use super::value::{Type, Value};
use super::variable::{FIRST_OWN_CODE, Scope};
use crate::fault::Fault;
use crate::number;
use crate::server::Call;

/// A placeholder and what is bound to it.
#[derive(Debug, Clone)]
pub(crate) struct BindValue {
    pub(crate) name: String,
    pub(crate) kind: Type,
    pub(crate) value: Value,
    /// The statement has given it a value.
    pub(crate) changed: bool,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Exit,
    Continue,
    Return,
}

/// A statement while it runs.
#[derive(Debug)]
pub(crate) struct Machine<'a> {
    pub(crate) call: &'a Call<'a>,
    pub(crate) binds: &'a mut [BindValue],
    pub(super) scopes: Vec<Scope>,
    pub(super) exceptions: BTreeMap<String, i32>,
    /// The row that a query looks at.
    pub(crate) row: Option<Row>,
    /// How many rows a query has, where it counts them.
    pub(crate) count: Option<f64>,
    /// What the running handler has caught.
    pub(crate) caught: Option<Fault>,
}

impl<'a> Machine<'a> {
    pub(crate) fn new(call: &'a Call<'a>, binds: &'a mut [BindValue]) -> Self {
        let exceptions =
            PREDEFINED.iter().map(|(name, code)| ((*name).to_owned(), *code)).collect();
        Self { call, binds, scopes: Vec::new(), exceptions, row: None, count: None, caught: None }
    }

    pub(crate) fn run(&mut self, block: &Block) -> Result<(), Fault> {
        match self.block(block) {
            Err(fault) if fault.code >= FIRST_OWN_CODE => {
                Err(Fault::new(6510, "PL/SQL: unhandled user-defined exception"))
            }
            result => result.map(|_| ()),
        }
    }

    fn block(&mut self, block: &Block) -> Result<Flow, Fault> {
        let depth = self.scopes.len();
        self.scopes.push(Scope::default());
        let result = match self.body(block) {
            Err(fault) if fault.is_catchable() => self.handle(&block.handlers, fault),
            result => result,
        };
        self.scopes.truncate(depth);
        result
    }

    fn body(&mut self, block: &Block) -> Result<Flow, Fault> {
        for declaration in &block.declarations {
            self.declare(declaration)?;
        }
        self.steps(&block.body)
    }

    fn handle(&mut self, handlers: &[Handler], fault: Fault) -> Result<Flow, Fault> {
        let catches = |handler: &&Handler| {
            let mut codes = handler.names.iter().map(|name| self.exceptions.get(name));
            handler.names.is_empty() || codes.any(|code| code == Some(&fault.code))
        };
        let Some(handler) = handlers.iter().find(catches) else {
            return Err(fault);
        };
        let outer = self.caught.replace(fault);
        let flow = self.steps(&handler.body);
        self.caught = outer;
        flow
    }

    fn steps(&mut self, steps: &[Step]) -> Result<Flow, Fault> {
        for step in steps {
            self.call.check()?;
            let flow = self.step(step)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn step(&mut self, step: &Step) -> Result<Flow, Fault> {
        match step {
            Step::If(arms, otherwise) => self.branch(arms, otherwise),
            Step::Loop(body) => self.repeat(None, body),
            Step::While(condition, body) => self.repeat(Some(condition), body),
            Step::For(name, first, last, body) => self.counted(name, [first, last], body),
            Step::Exit(condition) => self.leave(condition.as_ref(), Flow::Exit),
            Step::Continue(condition) => self.leave(condition.as_ref(), Flow::Continue),
            Step::Return => Ok(Flow::Return),
            Step::Raise(name) => Err(self.raised(name.as_deref())),
            Step::Nested(block) => self.block(block),
            _ => self.simple(step).map(|()| Flow::Next),
        }
    }

    /// A step that goes on to the next.
    fn simple(&mut self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Assign(target, value, _) => {
                let value = self.evaluate(value)?;
                self.assign(target, value)
            }
            Step::Call(invocation) => self.invoke(invocation).map(|_| ()),
            Step::Select(query) => self.select_into(query),
            Step::Execute(text, into) => {
                let text = self.evaluate(text)?.text();
                let table = statement::run(self.call, &text, &mut [])?;
                if into.is_empty() { Ok(()) } else { self.take_row(table, into) }
            }
            Step::EndTransaction => {
                self.call.end_transaction();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn branch(
        &mut self,
        arms: &[(Expression, Vec<Step>)],
        otherwise: &[Step],
    ) -> Result<Flow, Fault> {
        for (condition, steps) in arms {
            if self.evaluate(condition)?.is_true() {
                return self.steps(steps);
            }
        }
        self.steps(otherwise)
    }

    fn repeat(&mut self, condition: Option<&Expression>, body: &[Step]) -> Result<Flow, Fault> {
        loop {
            if let Some(condition) = condition
                && !self.evaluate(condition)?.is_true()
            {
                return Ok(Flow::Next);
            }
            match self.steps(body)? {
                Flow::Exit => return Ok(Flow::Next),
                Flow::Return => return Ok(Flow::Return),
                Flow::Next | Flow::Continue => {}
            }
        }
    }

    fn counted(
        &mut self,
        name: &str,
        bounds: [&Expression; 2],
        body: &[Step],
    ) -> Result<Flow, Fault> {
        let first = self.evaluate(bounds[0])?.integer()?;
        let last = self.evaluate(bounds[1])?.integer()?;
        for value in first..=last {
            self.scopes.push(Scope::default());
            self.define(name, Type::Integer, Value::Number(number::from_integer(value)));
            let flow = self.steps(body);
            self.scopes.pop();
            match flow? {
                Flow::Exit => break,
                Flow::Return => return Ok(Flow::Return),
                Flow::Next | Flow::Continue => {}
            }
        }
        Ok(Flow::Next)
    }

    fn leave(&mut self, condition: Option<&Expression>, flow: Flow) -> Result<Flow, Fault> {
        let leaves = match condition {
            Some(condition) => self.evaluate(condition)?.is_true(),
            None => true,
        };
        Ok(if leaves { flow } else { Flow::Next })
    }

    fn raised(&self, name: Option<&str>) -> Fault {
        let Some(name) = name else {
            return self.caught.clone().unwrap_or_else(|| Fault::new(6510, "nothing to raise"));
        };
        let code = self.exceptions.get(name).copied().unwrap_or(FIRST_OWN_CODE);
        Fault::new(code, name)
    }
}
