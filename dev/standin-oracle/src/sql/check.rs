//! The compiler's checks: names, types and arguments, before anything runs.

mod expression;

use std::collections::BTreeMap;

use super::ast::{Block, Declaration, Expression, Handler, Invocation, Path, Query, Step, Target};
use super::machine::BindValue;
use super::signature::{self, Need};
use super::value::Type;
use crate::fault::{Fault, Place};

/// The exceptions that every block knows, and their codes.
pub(crate) const PREDEFINED: [(&str, i32); 5] = [
    ("NO_DATA_FOUND", 1403),
    ("TOO_MANY_ROWS", 1422),
    ("ZERO_DIVIDE", 1476),
    ("VALUE_ERROR", 6502),
    ("TIMEOUT_ON_RESOURCE", 51),
];

/// What the compiler knows while it reads a statement.
#[derive(Debug)]
pub(crate) struct Checker<'a> {
    binds: &'a [BindValue],
    /// The user has EXECUTE on DBMS_LOCK.
    may_lock: bool,
    /// Variables of the blocks around, innermost last; `true` marks a constant.
    scopes: Vec<BTreeMap<String, (Type, bool)>>,
    exceptions: Vec<String>,
    /// The text is SQL, which has no BOOLEAN.
    is_sql: bool,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(binds: &'a [BindValue], may_lock: bool) -> Self {
        let exceptions = PREDEFINED.map(|(name, _)| name.to_owned()).to_vec();
        Self { binds, may_lock, scopes: Vec::new(), exceptions, is_sql: false }
    }

    pub(crate) fn block(&mut self, block: &Block) -> Result<(), Fault> {
        self.scopes.push(BTreeMap::new());
        for declaration in &block.declarations {
            self.declare(declaration)?;
        }
        self.steps(&block.body)?;
        for Handler { names, body } in &block.handlers {
            names.iter().try_for_each(|name| self.exception(name))?;
            self.steps(body)?;
        }
        self.scopes.pop();
        Ok(())
    }

    fn declare(&mut self, declaration: &Declaration) -> Result<(), Fault> {
        match declaration {
            Declaration::Variable { name, kind, constant, initial, place } => {
                if let Some(initial) = initial {
                    self.fits(*kind, initial, *place)?;
                }
                self.define(name, *kind, *constant);
            }
            Declaration::Exception(name) => self.exceptions.push(name.clone()),
            Declaration::Code(name, _) => self.exception(name)?,
        }
        Ok(())
    }

    fn define(&mut self, name: &str, kind: Type, constant: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), (kind, constant));
        }
    }

    fn exception(&self, name: &String) -> Result<(), Fault> {
        if self.exceptions.contains(name) {
            return Ok(());
        }
        Err(undeclared(name, Place { line: 1, column: 1 }))
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Fault> {
        steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Result<(), Fault> {
        match step {
            Step::Assign(target, value, place) => {
                let wanted = self.target(target)?;
                self.fits(wanted, value, *place)
            }
            Step::Call(invocation) => self.procedure(invocation),
            Step::If(arms, otherwise) => self.branches(arms, otherwise),
            Step::Loop(body) => self.steps(body),
            Step::While(condition, body) => {
                self.condition(condition).and_then(|()| self.steps(body))
            }
            Step::For(name, first, last, body) => self.counted(name, [first, last], body),
            Step::Exit(Some(condition)) | Step::Continue(Some(condition)) => {
                self.condition(condition)
            }
            Step::Raise(Some(name)) => self.exception(name),
            Step::Nested(block) => self.block(block),
            Step::Select(query) => self.query(query),
            Step::Execute(text, into) => {
                into.iter().try_for_each(|target| self.target(target).map(|_| ()))?;
                self.fits(Type::Text, text, Place { line: 1, column: 1 })
            }
            _ => Ok(()),
        }
    }

    fn branches(
        &mut self,
        arms: &[(Expression, Vec<Step>)],
        otherwise: &[Step],
    ) -> Result<(), Fault> {
        for (condition, steps) in arms {
            self.condition(condition)?;
            self.steps(steps)?;
        }
        self.steps(otherwise)
    }

    fn counted(
        &mut self,
        name: &str,
        bounds: [&Expression; 2],
        body: &[Step],
    ) -> Result<(), Fault> {
        for bound in bounds {
            self.fits(Type::Integer, bound, Place { line: 1, column: 1 })?;
        }
        self.scopes.push(BTreeMap::new());
        self.define(name, Type::Integer, true);
        let checked = self.steps(body);
        self.scopes.pop();
        checked
    }

    /// A query, in a block or alone. Its columns are checked when it runs.
    pub(crate) fn query(&mut self, query: &Query) -> Result<(), Fault> {
        query.into.iter().try_for_each(|target| self.target(target).map(|_| ()))?;
        if query.table.last() != "DUAL" {
            return Ok(());
        }
        let outer = std::mem::replace(&mut self.is_sql, true);
        let conditions = query.condition.iter();
        let columns = query.columns.iter().map(|(column, _)| column);
        let checked = columns.chain(conditions).try_for_each(|part| self.kind(part).map(|_| ()));
        self.is_sql = outer;
        checked
    }

    fn procedure(&self, invocation: &Invocation) -> Result<(), Fault> {
        let Invocation { path, .. } = invocation;
        if self.call(invocation)?.is_some() {
            let text = format!("'{}' is not a procedure or is undefined", path.last());
            return Err(Fault::compile(path.place, 221, text));
        }
        Ok(())
    }

    /// The type that a call returns, if it returns any.
    fn call(&self, invocation: &Invocation) -> Result<Option<Type>, Fault> {
        let Invocation { path, arguments } = invocation;
        self.granted(path)?;
        let mut given = Vec::new();
        for argument in arguments {
            given.push((argument.name.as_deref(), self.kind(&argument.value)?));
        }
        let (routine, slots) = signature::resolve(path, &given)?;
        for (parameter, slot) in routine.parameters.iter().zip(slots) {
            let given = slot.map(|slot| &arguments[slot].value);
            let assignable = matches!(given, Some(Expression::Bind(_) | Expression::Name(_)));
            if parameter.2 == Need::Out && !assignable {
                let text =
                    format!("expression cannot be used as the OUT argument '{}'", parameter.0);
                return Err(Fault::compile(path.place, 363, text));
            }
        }
        Ok(routine.returns)
    }

    fn granted(&self, path: &Path) -> Result<(), Fault> {
        let package = path.parts.iter().position(|part| part == "DBMS_LOCK");
        match package {
            Some(last) if !self.may_lock => {
                Err(undeclared(&path.parts[..=last].join("."), path.place))
            }
            _ => Ok(()),
        }
    }

    fn target(&self, target: &Target) -> Result<Type, Fault> {
        match target {
            Target::Bind(name) => self.bind(name),
            Target::Variable(path) => match self.variable(path) {
                Some((_, true)) => {
                    let text = format!(
                        "expression '{}' cannot be used as an assignment target",
                        path.dotted()
                    );
                    Err(Fault::compile(path.place, 363, text))
                }
                Some((kind, false)) => Ok(kind),
                None => Err(undeclared(&path.dotted(), path.place)),
            },
        }
    }

    fn bind(&self, name: &str) -> Result<Type, Fault> {
        let bind = self.binds.iter().find(|bind| bind.name == name);
        bind.map(|bind| bind.kind).ok_or_else(|| Fault::new(1008, "not all variables bound"))
    }

    fn variable(&self, path: &Path) -> Option<(Type, bool)> {
        let [name] = path.parts.as_slice() else {
            return None;
        };
        self.scopes.iter().rev().find_map(|scope| scope.get(name)).copied()
    }
}

fn undeclared(name: &str, place: Place) -> Fault {
    Fault::compile(place, 201, format!("identifier '{name}' must be declared"))
}
