//! Queries over DUAL and the views that an observer of locks reads.

use std::collections::BTreeMap;

use super::ast::{Expression, Path, Query};
use super::machine::Machine;
use super::package::column_type;
use super::value::{Type, Value};
use crate::fault::Fault;
use crate::mode::Mode;
use crate::number;
use crate::server::State;

/// A row by the names of its columns.
pub(crate) type Row = BTreeMap<String, Value>;

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
        let mut rows = self.table(&query.table, query.alias.as_deref())?;
        if let Some(join) = &query.join {
            let seconds = self.table(&join.table, join.alias.as_deref())?;
            rows = self.filtered(pairs(&rows, &seconds), Some(&join.on))?;
        }
        self.filtered(rows, query.condition.as_ref())
    }

    fn filtered(
        &mut self,
        rows: Vec<Row>,
        condition: Option<&Expression>,
    ) -> Result<Vec<Row>, Fault> {
        let mut found = Vec::new();
        for row in rows {
            self.row = Some(row.clone());
            if condition.map_or(Ok(true), |it| self.evaluate(it).map(|it| it.is_true()))? {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// The rows of a view, their columns by their names and by the view's alias too.
    fn table(&self, table: &Path, alias: Option<&str>) -> Result<Vec<Row>, Fault> {
        let name = table.last().replace("V_$", "V$");
        let is_public = matches!(&*name, "DUAL" | "SESSION_PRIVS");
        let may_look = self.call.database.may_look(self.call.session);
        if !is_public && !may_look {
            return Err(no_view());
        }
        let mut rows = view(&self.call.database.state(), &name)?;
        if name == "SESSION_PRIVS" && !may_look {
            rows.clear();
        }
        if let Some(alias) = alias {
            for row in &mut rows {
                let named =
                    row.iter().map(|(column, it)| (format!("{alias}.{column}"), it.clone()));
                let named = Vec::from_iter(named);
                row.extend(named);
            }
        }
        Ok(rows)
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

fn pairs(firsts: &[Row], seconds: &[Row]) -> Vec<Row> {
    let of = |first: &Row, second: &Row| first.clone().into_iter().chain(second.clone()).collect();
    let all = firsts.iter().flat_map(|first| seconds.iter().map(move |second| of(first, second)));
    all.collect()
}

fn no_view() -> Fault {
    Fault::new(942, "table or view does not exist")
}

fn row<const N: usize>(columns: [(&str, Value); N]) -> Row {
    columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn text(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { Value::Text(text.to_owned()) }
}

fn view(state: &State, name: &str) -> Result<Vec<Row>, Fault> {
    match name {
        "DUAL" => Ok(vec![row([("DUMMY", text("X"))])]),
        "V$LOCK" | "GV$LOCK" => Ok(lock_rows(state)),
        "V$SESSION" | "GV$SESSION" => Ok(session_rows(state)),
        "V$INSTANCE" => Ok(vec![row([("STARTUP_TIME", text("2026-01-01 00:00:00"))])]),
        "SESSION_PRIVS" => Ok(vec![row([("PRIVILEGE", text("ALTER SYSTEM"))])]),
        _ => Err(no_view()),
    }
}

fn lock_rows(state: &State) -> Vec<Row> {
    let code = |mode: Option<Mode>| {
        Value::Number(mode.map_or(0.0, |mode| number::from_integer(mode.code())))
    };
    let lines = state.locks.lines().into_iter().map(|line| {
        let seconds = u32::try_from(line.since.elapsed().as_secs()).unwrap_or(u32::MAX);
        row([
            ("INST_ID", Value::Number(1.0)),
            ("SID", Value::Number(f64::from(line.session))),
            ("TYPE", text("UL")),
            ("ID1", Value::Number(number::from_integer(line.id))),
            ("ID2", Value::Number(0.0)),
            ("LMODE", code(line.held)),
            ("REQUEST", code(line.requested)),
            ("CTIME", Value::Number(f64::from(seconds))),
        ])
    });
    lines.collect()
}

fn session_rows(state: &State) -> Vec<Row> {
    let sessions = state.sessions.iter().map(|(id, session)| {
        row([
            ("INST_ID", Value::Number(1.0)),
            ("SID", Value::Number(f64::from(*id))),
            ("SERIAL#", Value::Number(f64::from(session.serial))),
            ("USERNAME", text(&session.user)),
            ("MACHINE", text("localhost")),
            ("PROGRAM", text("standin")),
            ("MODULE", text(&session.module)),
            ("STATUS", text(if session.busy { "ACTIVE" } else { "INACTIVE" })),
            ("STANDIN_CALLS", Value::Number(f64::from(session.calls))),
        ])
    });
    sessions.collect()
}
