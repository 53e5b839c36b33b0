//! Queries over DUAL and the views that an observer of locks reads.

use std::collections::BTreeMap;

use super::ast::{Expression, Query};
use super::machine::Machine;
use super::package::column_type;
use super::value::{Type, Value};
use crate::fault::Fault;
use crate::mode::Mode;
use crate::number;
use crate::server::State;

/// A row by the names of its columns.
pub(crate) type Row = BTreeMap<&'static str, Value>;

/// What a query found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl Machine<'_> {
    pub(crate) fn select(&mut self, query: &Query) -> Result<Table, Fault> {
        let found = self.found(query)?;
        let counts = query.columns.iter().any(|(column, _)| matches!(column, Expression::CountAll));
        let mut rows = Vec::new();
        if counts {
            let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
            self.count = Some(f64::from(count));
            rows.push(self.project(query)?);
        } else {
            for row in found {
                self.row = Some(row);
                rows.push(self.project(query)?);
            }
        }
        self.row = None;
        Ok(Table { columns: columns(query, rows.first()), rows })
    }

    fn found(&mut self, query: &Query) -> Result<Vec<Row>, Fault> {
        let mut found = Vec::new();
        let rows = view(&self.call.database.state(), query)?;
        for row in rows {
            self.row = Some(row.clone());
            let matches = match &query.condition {
                Some(condition) => self.evaluate(condition)?.is_true(),
                None => true,
            };
            if matches {
                found.push(row);
            }
        }
        Ok(found)
    }

    fn project(&mut self, query: &Query) -> Result<Vec<Value>, Fault> {
        let columns = query.columns.iter();
        columns.map(|(column, _)| self.evaluate(column)).collect()
    }
}

fn columns(query: &Query, first: Option<&Vec<Value>>) -> Vec<(String, Type)> {
    let kind = |index: usize| first.map_or(Type::Text, |row| column_type(&row[index]));
    let columns = query.columns.iter().enumerate();
    columns.map(|(index, (_, name))| (name.clone(), kind(index))).collect()
}

fn view(state: &State, query: &Query) -> Result<Vec<Row>, Fault> {
    match query.table.last() {
        "DUAL" => Ok(vec![Row::from([("DUMMY", Value::Text("X".to_owned()))])]),
        "V$LOCK" | "GV$LOCK" => Ok(lock_rows(state)),
        "V_$INSTANCE" => {
            let started = Value::Text("2026-01-01 00:00:00".to_owned());
            Ok(vec![Row::from([("STARTUP_TIME", started)])])
        }
        "V$SESSION" | "GV$SESSION" => Ok(session_rows(state)),
        _ => Err(Fault::new(942, "table or view does not exist")),
    }
}

fn lock_rows(state: &State) -> Vec<Row> {
    let code = |mode: Option<Mode>| {
        Value::Number(mode.map_or(0.0, |mode| number::from_integer(mode.code())))
    };
    let lines = state.locks.lines().into_iter();
    let row = lines.map(|line| {
        Row::from([
            ("SID", Value::Number(f64::from(line.session))),
            ("TYPE", Value::Text("UL".to_owned())),
            ("ID1", Value::Number(number::from_integer(line.id))),
            ("ID2", Value::Number(0.0)),
            ("LMODE", code(line.held)),
            ("REQUEST", code(line.requested)),
        ])
    });
    row.collect()
}

fn session_rows(state: &State) -> Vec<Row> {
    let sessions = state.sessions.iter();
    let row = sessions.map(|(id, session)| {
        let status = if session.busy { "ACTIVE" } else { "INACTIVE" };
        Row::from([
            ("SID", Value::Number(f64::from(*id))),
            ("SERIAL#", Value::Number(f64::from(session.serial))),
            ("USERNAME", Value::Text(session.user.clone())),
            ("MODULE", Value::Text(session.module.clone())),
            ("STATUS", Value::Text(status.to_owned())),
            ("STANDIN_CALLS", Value::Number(f64::from(session.calls))),
        ])
    });
    row.collect()
}
