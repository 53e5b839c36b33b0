//! A whole statement: what kind it is, and how it runs.

use std::time::Duration;

use super::check::Checker;
use super::lexer::{Token, tokenize};
use super::machine::{BindValue, Machine};
use super::parser::{parse_block, parse_query};
use super::query::Table;
use crate::fault::Fault;
use crate::number;
use crate::server::{BreakMode, Call, Fate};

/// The kind of a statement, by its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unknown,
    Select,
    Alter,
    Begin,
    Declare,
    Rollback,
    Commit,
}

impl Kind {
    pub(crate) fn of(text: &str) -> Self {
        let first = tokenize(text).ok().and_then(|tokens| tokens.into_iter().next());
        let Some(Token::Word(word)) = first.map(|first| first.token) else {
            return Self::Unknown;
        };
        match word.as_str() {
            "SELECT" => Self::Select,
            "ALTER" => Self::Alter,
            "BEGIN" => Self::Begin,
            "DECLARE" => Self::Declare,
            "ROLLBACK" => Self::Rollback,
            "COMMIT" => Self::Commit,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn is_block(self) -> bool {
        matches!(self, Self::Begin | Self::Declare)
    }
}

/// Runs a statement inside a call.
pub(crate) fn run(call: &Call<'_>, text: &str, binds: &mut [BindValue]) -> Result<Table, Fault> {
    match Kind::of(text) {
        Kind::Begin | Kind::Declare => block(call, text, binds).map(|()| Table::default()),
        Kind::Select => query(call, text, binds),
        Kind::Alter => alter(call, text).map(|()| Table::default()),
        Kind::Commit | Kind::Rollback => {
            call.end_transaction();
            Ok(Table::default())
        }
        Kind::Unknown => Err(Fault::new(900, "invalid SQL statement")),
    }
}

fn block(call: &Call<'_>, text: &str, binds: &mut [BindValue]) -> Result<(), Fault> {
    let block = parse_block(text)?;
    let may_lock = call.database.may_lock(call.session);
    Checker::new(binds, may_lock).block(&block)?;
    Machine::new(call, binds).run(&block)
}

fn query(call: &Call<'_>, text: &str, binds: &mut [BindValue]) -> Result<Table, Fault> {
    let query = parse_query(text)?;
    let may_lock = call.database.may_lock(call.session);
    Checker::new(binds, may_lock).query(&query)?;
    Machine::new(call, binds).select(&query)
}

fn alter(call: &Call<'_>, text: &str) -> Result<(), Fault> {
    let tokens = tokenize(text)?.into_iter().map(|spanned| spanned.token);
    let words: Vec<String> = tokens.map(plain).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ALTER", "SYSTEM", "KILL", "SESSION", target, ..] => {
            end_session(call, target, Fate::Killed)
        }
        ["ALTER", "SYSTEM", "DISCONNECT", "SESSION", target, ..] => {
            end_session(call, target, Fate::Cut)
        }
        ["ALTER", "SYSTEM", "SET", name, "=", value, ..] => set_system(call, name, value),
        ["ALTER", "SESSION", "SET", name, "=", value, ..] => set_session(call, name, value),
        _ => Err(Fault::new(940, "invalid ALTER command")),
    }
}

fn plain(token: Token) -> String {
    match token {
        Token::Word(text) | Token::Quoted(text) | Token::Text(text) | Token::Bind(text) => text,
        Token::Number(number) => number::to_text(number),
        Token::Symbol(symbol) => symbol.to_owned(),
        Token::End => String::new(),
    }
}

/// `'sid,serial#'`, or `'sid,serial#,@1'`: there is one instance.
fn end_session(call: &Call<'_>, target: &str, fate: Fate) -> Result<(), Fault> {
    if !call.database.may_look(call.session) {
        return Err(Fault::new(1031, "insufficient privileges"));
    }
    let parts = target.strip_suffix(",@1").unwrap_or(target).split_once(',');
    let parsed =
        parts.and_then(|(id, serial)| Some((id.trim().parse().ok()?, serial.trim().parse().ok()?)));
    let (id, serial) = parsed.ok_or_else(|| Fault::new(26, "missing or invalid session ID"))?;
    if id == call.session {
        return Err(Fault::new(27, "cannot kill current session"));
    }
    call.database.end(id, serial, fate)
}

/// What the stand-in adds to ALTER SYSTEM.
fn set_system(call: &Call<'_>, name: &str, value: &str) -> Result<(), Fault> {
    match name {
        "_standin_deadlock_ms" => {
            let millis = value.parse().map_err(|_| invalid(value))?;
            call.database.change(|state| state.deadlock_delay = Duration::from_millis(millis));
        }
        "_standin_role" => call.database.change(|state| state.role = value.to_owned()),
        "_standin_cluster" => call.database.change(|state| state.is_cluster = value == "true"),
        "_standin_clock" => {
            let seconds = value.parse().map_err(|_| invalid(value))?;
            call.database.change(|state| state.clock_is_wrong_by = seconds);
        }
        "_standin_interrupt" => {
            let mode = BreakMode::parse(value).ok_or_else(|| invalid(value))?;
            call.database.interrupt_others(call.session, mode);
        }
        "_standin_frozen" => call.freeze(value == "true"),
        _ => return Err(Fault::new(2065, "illegal option for ALTER SYSTEM")),
    }
    Ok(())
}

/// Settings of the session; those of the language are taken and ignored.
fn set_session(call: &Call<'_>, name: &str, value: &str) -> Result<(), Fault> {
    if name.starts_with("NLS_") || name == "TIME_ZONE" {
        return Ok(());
    }
    if name != "_standin_break" {
        return Err(Fault::new(2248, "invalid option for ALTER SESSION"));
    }
    let mode = BreakMode::parse(value).ok_or_else(|| invalid(value))?;
    call.database.change(|state| {
        if let Some(session) = state.sessions.get_mut(&call.session) {
            session.break_mode = mode;
        }
    });
    Ok(())
}

fn invalid(value: &str) -> Fault {
    Fault::new(922, format!("missing or invalid option '{value}'"))
}
