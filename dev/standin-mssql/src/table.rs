//! Tables, and the statements that change them.

use std::collections::BTreeMap;

use crate::batch::Batch;
use crate::datum::{Datum, Type};
use crate::evaluate::Row;
use crate::fault::Fault;
use crate::session::Undo;
use crate::syntax::Expression;

pub(crate) const INSERT: u16 = 195;
pub(crate) const DELETE: u16 = 196;
pub(crate) const UPDATE: u16 = 197;

/// A table; rows are numbered in the order of their coming.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) rows: BTreeMap<u64, Vec<Datum>>,
    last: u64,
}

impl Table {
    fn place(&self, column: &str) -> Result<usize, Fault> {
        let found = self.columns.iter().position(|(name, _)| name == column);
        found.ok_or_else(|| Fault::invalid_column(column))
    }

    fn push(&mut self, row: Vec<Datum>) -> u64 {
        self.last += 1;
        self.rows.insert(self.last, row);
        self.last
    }
}

/// The name that a table is kept under: a session's own tables carry its number.
pub(crate) fn kept_as(name: &str, session: u16) -> String {
    let bare = crate::expression::last_part(name);
    if bare.starts_with('#') && !bare.starts_with("##") {
        return format!("{bare}@{session}");
    }
    bare.to_owned()
}

impl Batch<'_> {
    pub(crate) fn create_table(
        &mut self,
        name: &str,
        columns: &[(String, Type)],
    ) -> Result<(), Fault> {
        let kept = kept_as(name, self.session.id);
        let mut state = self.engine.state();
        if state.tables.contains_key(&kept) {
            let message = format!("There is already an object named '{name}' in the database.");
            return Err(Fault::new(2714, message).state(6).ending());
        }
        let table = Table { columns: columns.to_vec(), ..Table::default() };
        state.tables.insert(kept, table);
        Ok(())
    }

    pub(crate) fn drop_table(&mut self, name: &str, if_exists: bool) -> Result<(), Fault> {
        let kept = kept_as(name, self.session.id);
        let dropped = self.engine.state().tables.remove(&kept).is_some();
        if dropped || if_exists {
            return Ok(());
        }
        let message = format!(
            "Cannot drop the table '{name}', because it does not exist or you do not have permission."
        );
        Err(Fault::new(3701, message).class(11).state(5))
    }

    /// The table as it is now.
    fn table(&self, name: &str) -> Result<Table, Fault> {
        let kept = kept_as(name, self.session.id);
        let found = self.engine.state().tables.get(&kept).cloned();
        found.ok_or_else(|| Fault::invalid_object(name))
    }

    pub(crate) fn insert(
        &mut self,
        name: &str,
        columns: &[String],
        rows: &[Vec<Expression>],
    ) -> Result<u64, Fault> {
        let table = self.table(name)?;
        let places = match columns.is_empty() {
            true => (0..table.columns.len()).collect(),
            false => {
                columns.iter().map(|column| table.place(column)).collect::<Result<Vec<_>, _>>()?
            }
        };
        for values in rows {
            if values.len() != places.len() {
                let message =
                    "Column name or number of supplied values does not match table definition.";
                return Err(Fault::new(213, message).ending());
            }
            let mut row: Vec<Datum> = table.columns.iter().map(|(_, of)| of.null()).collect();
            for (&place, value) in places.iter().zip(values) {
                row[place] = self.scope().value(value)?.convert(table.columns[place].1)?;
            }
            self.write(name, None, Some(row));
        }
        Ok(u64::try_from(rows.len()).unwrap_or_default())
    }

    pub(crate) fn update(
        &mut self,
        name: &str,
        changes: &[(String, Expression)],
        filter: Option<&Expression>,
    ) -> Result<u64, Fault> {
        let table = self.table(name)?;
        let mut changed = Vec::new();
        for (&number, row) in &table.rows {
            let scope = self.scope().over(Row::new(&table.columns, row));
            if !scope.passes(filter)? {
                continue;
            }
            let mut new = row.clone();
            for (column, value) in changes {
                let place = table.place(crate::expression::last_part(column))?;
                new[place] = scope.value(value)?.convert(table.columns[place].1)?;
            }
            changed.push((number, new));
        }
        let count = changed.len();
        for (number, row) in changed {
            self.write(name, Some(number), Some(row));
        }
        Ok(u64::try_from(count).unwrap_or_default())
    }

    pub(crate) fn delete(&mut self, name: &str, filter: Option<&Expression>) -> Result<u64, Fault> {
        let table = self.table(name)?;
        let mut gone = Vec::new();
        for (&number, row) in &table.rows {
            let scope = self.scope().over(Row::new(&table.columns, row));
            if scope.passes(filter)? {
                gone.push(number);
            }
        }
        for &number in &gone {
            self.write(name, Some(number), None);
        }
        Ok(u64::try_from(gone.len()).unwrap_or_default())
    }

    /// Writes one row, a new one where no number is given, and notes what it replaced.
    fn write(&mut self, name: &str, number: Option<u64>, row: Option<Vec<Datum>>) {
        let kept = kept_as(name, self.session.id);
        let mut state = self.engine.state();
        let Some(table) = state.tables.get_mut(&kept) else {
            return;
        };
        let (number, before) = match (number, row) {
            (None, row) => (table.push(row.unwrap_or_default()), None),
            (Some(number), Some(row)) => (number, table.rows.insert(number, row)),
            (Some(number), None) => (number, table.rows.remove(&number)),
        };
        if self.session.transactions > 0 {
            self.session.undo.push(Undo { table: kept, row: number, before });
        }
    }
}
