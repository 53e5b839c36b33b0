//! Statements that change tables.

use crate::batch::{Batch, OTHER};
use crate::fault::Fault;
use crate::syntax::Statement;
use crate::table;

impl Batch<'_> {
    /// Runs a statement over a table.
    pub(crate) fn change(&mut self, statement: &Statement) -> Result<(), Fault> {
        self.begin_implicitly(true);
        let rows = match statement {
            Statement::Insert(name, columns, rows) => Some(self.insert(name, columns, rows)?),
            Statement::Update(name, changes, filter) => {
                Some(self.update(name, changes, filter.as_ref())?)
            }
            Statement::Delete(name, filter) => Some(self.delete(name, filter.as_ref())?),
            other => {
                self.define(other)?;
                None
            }
        };
        self.done(command(statement), rows);
        Ok(())
    }

    fn define(&mut self, statement: &Statement) -> Result<(), Fault> {
        match statement {
            Statement::CreateTable(name, columns) => self.create_table(name, columns),
            Statement::DropTable(name, if_exists) => self.drop_table(name, *if_exists),
            Statement::Truncate(name) => self.delete(name, None).map(drop),
            _ => Ok(()),
        }
    }
}

fn command(statement: &Statement) -> u16 {
    match statement {
        Statement::Insert(..) => table::INSERT,
        Statement::Update(..) => table::UPDATE,
        Statement::Delete(..) => table::DELETE,
        _ => OTHER,
    }
}
