//! Variables: declared, assigned, looked up.

use std::collections::BTreeMap;

use super::ast::{Declaration, Query, Target};
use super::machine::Machine;
use super::query::Table;
use super::value::{Type, Value};
use crate::fault::Fault;

/// Exceptions of the block's own have codes from here on.
pub(super) const FIRST_OWN_CODE: i32 = 1_000_000;

/// The variables of one block.
#[derive(Debug, Default)]
pub(super) struct Scope {
    variables: BTreeMap<String, (Type, Value)>,
}

impl Machine<'_> {
    pub(super) fn declare(&mut self, declaration: &Declaration) -> Result<(), Fault> {
        match declaration {
            Declaration::Variable { name, kind, initial, .. } => {
                let initial =
                    initial.as_ref().map_or(Ok(Value::Null), |initial| self.evaluate(initial))?;
                self.define(name, *kind, kind.convert(initial)?);
            }
            Declaration::Exception(name) => {
                let code = FIRST_OWN_CODE + i32::try_from(self.exceptions.len()).unwrap_or(0);
                self.exceptions.insert(name.clone(), code);
            }
            Declaration::Code(name, code) => {
                self.exceptions.insert(name.clone(), code.abs());
            }
        }
        Ok(())
    }

    pub(super) fn define(&mut self, name: &str, kind: Type, value: Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.variables.insert(name.to_owned(), (kind, value));
        }
    }

    /// `SELECT … INTO`: exactly one row.
    pub(super) fn select_into(&mut self, query: &Query) -> Result<(), Fault> {
        let table = self.select(query)?;
        self.take_row(table, &query.into)
    }

    /// Exactly one row.
    pub(super) fn take_row(&mut self, table: Table, into: &[Target]) -> Result<(), Fault> {
        let mut rows = table.rows.into_iter();
        let row = rows.next().ok_or_else(|| Fault::new(1403, "no data found"))?;
        if rows.next().is_some() {
            return Err(Fault::new(1422, "exact fetch returns more than requested number of rows"));
        }
        into.iter().zip(row).try_for_each(|(target, value)| self.assign(target, value))
    }

    pub(crate) fn assign(&mut self, target: &Target, value: Value) -> Result<(), Fault> {
        match target {
            Target::Bind(name) => {
                for bind in self.binds.iter_mut().filter(|bind| bind.name == *name) {
                    bind.value = bind.kind.convert(value.clone())?;
                    bind.changed = true;
                }
            }
            Target::Variable(path) => {
                let mut scopes = self.scopes.iter_mut().rev();
                let found = scopes.find_map(|scope| scope.variables.get_mut(path.last()));
                if let Some((kind, held)) = found {
                    *held = kind.convert(value)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Value> {
        let mut scopes = self.scopes.iter().rev();
        let found = scopes.find_map(|scope| scope.variables.get(name));
        found.map(|(_, value)| value.clone())
    }
}
