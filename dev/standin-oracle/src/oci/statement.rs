//! A prepared statement: its text, its binds, its rows.

use std::sync::{Arc, Mutex, PoisonError};

use super::bind::{Bind, Define};
use super::handle::{get, set};
use crate::fault::Fault;
use crate::server::Connection;
use crate::sql::{BindValue, Kind, Table, Type, Value, bind_names, run};

/// Execution mode: COMMIT when the statement has succeeded.
const COMMIT_ON_SUCCESS: u32 = 0x20;

/// A column of a result, described.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Type,
}

/// A statement between prepare and release.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) kind: Kind,
    /// The placeholders by position.
    pub(super) names: Vec<String>,
    connection: Arc<Connection>,
    binds: Mutex<Vec<(String, Bind)>>,
    pub(super) columns: Mutex<Vec<Arc<Column>>>,
    rows: Mutex<Vec<Vec<Value>>>,
    defines: Mutex<Vec<Define>>,
    pub(super) fetched: Mutex<u32>,
}

impl Statement {
    pub(super) fn prepare(connection: Arc<Connection>, text: &str) -> Self {
        let kind = Kind::of(text);
        Self {
            text: text.to_owned(),
            kind,
            names: bind_names(text, kind.is_block()),
            connection,
            binds: Mutex::default(),
            columns: Mutex::default(),
            rows: Mutex::default(),
            defines: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    pub(super) fn bind_position(&self, position: usize, bind: Bind) -> Result<(), Fault> {
        let name = position.checked_sub(1).and_then(|index| self.names.get(index));
        let name = name.ok_or_else(illegal_name)?.clone();
        self.bind(name, bind)
    }

    pub(super) fn bind_name(&self, name: &str, bind: Bind) -> Result<(), Fault> {
        let name = name.trim_start_matches(':').to_uppercase();
        if !self.names.contains(&name) {
            return Err(illegal_name());
        }
        self.bind(name, bind)
    }

    fn bind(&self, name: String, bind: Bind) -> Result<(), Fault> {
        bind.kind()?;
        let mut binds = self.binds.lock().unwrap_or_else(PoisonError::into_inner);
        binds.retain(|(known, _)| *known != name);
        binds.push((name, bind));
        Ok(())
    }

    pub(super) fn define(&self, define: Define) {
        let mut defines = self.defines.lock().unwrap_or_else(PoisonError::into_inner);
        defines.retain(|known| known.position != define.position);
        defines.push(define);
    }

    /// Runs the statement as one call of its session.
    pub(super) fn execute(&self, mode: u32) -> Result<(), Fault> {
        let binds = get(&self.binds);
        if self.names.iter().any(|name| binds.iter().all(|(bound, _)| bound != name)) {
            return Err(Fault::new(1008, "not all variables bound"));
        }
        let mut values = Vec::new();
        for (name, bind) in &binds {
            values.push(BindValue {
                name: name.clone(),
                kind: bind.kind()?,
                value: bind.read()?,
                changed: false,
            });
        }
        let table = self.run(mode, &mut values)?;
        for ((_, bind), value) in binds.iter().zip(values) {
            if value.changed {
                bind.write(&value.value)?;
            }
        }
        self.keep(table);
        Ok(())
    }

    fn run(&self, mode: u32, values: &mut [BindValue]) -> Result<Table, Fault> {
        self.connection.call(|call| {
            let table = run(call, &self.text, values)?;
            if mode & COMMIT_ON_SUCCESS != 0 {
                call.end_transaction();
            }
            Ok(table)
        })
    }

    fn keep(&self, table: Table) {
        let columns = table.columns.into_iter();
        let columns = columns.map(|(name, kind)| Arc::new(Column { name, kind }));
        set(&self.columns, columns.collect());
        set(&self.rows, table.rows);
        set(&self.fetched, 0);
    }

    /// Copies up to `limit` rows into the defined buffers; `false` once there are no more.
    pub(super) fn fetch(&self, limit: usize) -> Result<bool, Fault> {
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let more = rows.len() > limit;
        let count = rows.len().min(limit);
        for (index, row) in rows.drain(..count).enumerate() {
            for define in self.defines.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let value = define.position.checked_sub(1).and_then(|column| row.get(column));
                define.bind.write_at(index, value.unwrap_or(&Value::Null))?;
            }
        }
        set(&self.fetched, u32::try_from(count).unwrap_or(u32::MAX));
        Ok(more)
    }
}

fn illegal_name() -> Fault {
    Fault::new(1036, "illegal variable name/number")
}
