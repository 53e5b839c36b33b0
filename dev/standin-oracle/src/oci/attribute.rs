//! The attributes of handles.

use std::sync::Arc;
use std::time::Duration;

use super::handle::{Handle, Service, get, set};
use super::statement::Column;
use crate::fault::Fault;
use crate::sql::{Kind, Type};

/// The attributes, by the interface's numbers. Some numbers mean one thing on one kind of handle
/// and another on the next.
mod code {
    pub(super) const DATA_SIZE: u32 = 1;
    pub(super) const DATA_TYPE: u32 = 2;
    pub(super) const NAME: u32 = 4;
    pub(super) const PRECISION: u32 = 5;
    pub(super) const SCALE: u32 = 6;
    pub(super) const SERVER: u32 = 6;
    pub(super) const SESSION: u32 = 7;
    pub(super) const IS_NULL: u32 = 7;
    pub(super) const FUNCTION_CODE: u32 = 10;
    pub(super) const PARAMETER_COUNT: u32 = 18;
    pub(super) const USER: u32 = 22;
    pub(super) const PASSWORD: u32 = 23;
    pub(super) const STATEMENT_TYPE: u32 = 24;
    pub(super) const CHARSET: u32 = 31;
    pub(super) const CHARSET_FORM: u32 = 32;
    pub(super) const PARSE_ERROR_OFFSET: u32 = 129;
    pub(super) const SERVER_STATUS: u32 = 143;
    pub(super) const TEXT: u32 = 144;
    pub(super) const CACHE_SIZE: u32 = 176;
    pub(super) const BIND_COUNT: u32 = 190;
    pub(super) const ROWS_FETCHED: u32 = 197;
    pub(super) const IS_RETURNING: u32 = 218;
    pub(super) const NATIONAL_CHARSET: u32 = 262;
    pub(super) const CHARACTER_SIZE: u32 = 286;
    pub(super) const ROW_COUNT: u32 = 457;
    pub(super) const IS_RECOVERABLE: u32 = 472;
    pub(super) const IN_TRANSACTION: u32 = 484;
    pub(super) const CALL_TIMEOUT: u32 = 531;
    pub(super) const IS_JSON: u32 = 534;
    pub(super) const IS_OSON: u32 = 623;
    pub(super) const DATABASE_NAME: u32 = 391;
    pub(super) const INSTANCE_NAME: u32 = 392;
    pub(super) const SERVICE_NAME: u32 = 393;
    pub(super) const DOMAIN: u32 = 399;
    pub(super) const MAX_CURSORS: u32 = 471;
    pub(super) const MAX_IDENTIFIER: u32 = 500;
}

/// AL32UTF8.
const UTF8: u16 = 873;

/// The bytes a text column may have.
const TEXT_SIZE: u16 = 4000;

/// A value of an attribute, in the width that the interface gives it.
#[derive(Debug)]
pub(super) enum Attribute {
    Byte(u8),
    Short(u16),
    Word(u32),
    Long(u64),
    /// The address of another handle.
    Address(usize),
    /// Lives as long as the handle it was read from.
    Text(*const u8, usize),
}

/// Reads an attribute.
pub(super) fn read(handle: &Handle, id: u32) -> Result<Attribute, Fault> {
    let found = match handle {
        Handle::Environment => environment(id),
        Handle::Error(_) => (id == code::IS_RECOVERABLE).then_some(Attribute::Word(0)),
        Handle::Server(_) => server(handle, id),
        Handle::Service(service) => service_context(handle, service, id),
        Handle::Session(_) => session(id),
        Handle::Statement(_) => return statement(handle, id),
        Handle::Parameter(column) => parameter(column, id),
        Handle::Transaction | Handle::Pool(_) => None,
    };
    found.ok_or_else(|| unknown(id))
}

fn service_context(handle: &Handle, service: &Service, id: u32) -> Option<Attribute> {
    match id {
        code::SERVER => Some(Attribute::Address(get(&service.server))),
        code::SESSION => Some(Attribute::Address(get(&service.session))),
        code::CACHE_SIZE => Some(Attribute::Word(get(&service.cache_size))),
        code::MAX_IDENTIFIER => Some(Attribute::Byte(128)),
        code::CALL_TIMEOUT => {
            let connection = handle.connection().ok()?;
            Some(Attribute::Word(millis(connection.call_timeout())))
        }
        _ => None,
    }
}

fn session(id: u32) -> Option<Attribute> {
    match id {
        code::IN_TRANSACTION => Some(Attribute::Word(0)),
        code::MAX_CURSORS => Some(Attribute::Word(300)),
        _ => None,
    }
}

fn environment(id: u32) -> Option<Attribute> {
    matches!(id, code::CHARSET | code::NATIONAL_CHARSET).then_some(Attribute::Short(UTF8))
}

fn server(handle: &Handle, id: u32) -> Option<Attribute> {
    let connected = handle.connection().is_ok_and(|connection| connection.is_connected());
    let text = |text: &'static str| Some(Attribute::Text(text.as_ptr(), text.len()));
    match id {
        code::SERVER_STATUS => Some(Attribute::Word(u32::from(connected))),
        code::CHARSET => Some(Attribute::Short(UTF8)),
        code::DATABASE_NAME | code::INSTANCE_NAME | code::SERVICE_NAME => text("standin"),
        code::DOMAIN => text(""),
        _ => None,
    }
}

fn statement(handle: &Handle, id: u32) -> Result<Attribute, Fault> {
    let statement = handle.statement()?;
    let count = |length: usize| Attribute::Word(u32::try_from(length).unwrap_or(u32::MAX));
    Ok(match id {
        code::STATEMENT_TYPE => Attribute::Short(type_code(statement.kind)),
        code::FUNCTION_CODE | code::PARSE_ERROR_OFFSET => Attribute::Short(0),
        code::IS_RETURNING => Attribute::Byte(0),
        code::BIND_COUNT => count(statement.names.len()),
        code::PARAMETER_COUNT => count(get(&statement.columns).len()),
        code::ROWS_FETCHED => Attribute::Word(get(&statement.fetched)),
        code::ROW_COUNT => Attribute::Long(u64::from(statement.kind.is_block())),
        code::TEXT => Attribute::Text(statement.text.as_ptr(), statement.text.len()),
        _ => return Err(unknown(id)),
    })
}

fn type_code(kind: Kind) -> u16 {
    match kind {
        Kind::Unknown => 0,
        Kind::Select => 1,
        Kind::Alter => 7,
        Kind::Begin => 8,
        Kind::Declare => 9,
        Kind::Rollback => 17,
        Kind::Commit => 21,
    }
}

/// A column: NUMBER without precision, or VARCHAR2.
fn parameter(column: &Arc<Column>, id: u32) -> Option<Attribute> {
    let is_text = column.kind == Type::Text;
    match id {
        code::NAME => Some(Attribute::Text(column.name.as_ptr(), column.name.len())),
        code::DATA_TYPE => Some(Attribute::Short(if is_text { 1 } else { 2 })),
        code::CHARSET_FORM | code::IS_NULL => Some(Attribute::Byte(1)),
        code::SCALE => Some(Attribute::Byte(if is_text { 0 } else { 0x81 })),
        code::PRECISION => Some(Attribute::Short(0)),
        code::DATA_SIZE => Some(Attribute::Short(if is_text { TEXT_SIZE } else { 22 })),
        code::CHARACTER_SIZE => Some(Attribute::Short(TEXT_SIZE)),
        code::IS_JSON | code::IS_OSON => Some(Attribute::Byte(0)),
        _ => None,
    }
}

/// A value that the client gives to an attribute.
#[derive(Debug)]
pub(super) enum Given {
    Address(usize),
    Word(u32),
    Text(String),
}

/// How the value of an attribute is to be read from the client's memory; `None` when it does not
/// matter here.
pub(super) fn shape(handle: &Handle, id: u32) -> Option<fn(usize) -> Given> {
    match (handle, id) {
        (Handle::Service(_), code::SERVER | code::SESSION) => Some(Given::Address),
        (Handle::Service(_), code::CACHE_SIZE | code::CALL_TIMEOUT) => Some(|_| Given::Word(0)),
        (Handle::Session(_), code::USER | code::PASSWORD) => Some(|_| Given::Text(String::new())),
        _ => None,
    }
}

/// Sets an attribute.
pub(super) fn write(handle: &Handle, id: u32, given: Given) -> Result<(), Fault> {
    match (handle, id, given) {
        (Handle::Service(service), code::SERVER, Given::Address(address)) => {
            set(&service.server, address)
        }
        (Handle::Service(service), code::SESSION, Given::Address(address)) => {
            set(&service.session, address)
        }
        (Handle::Service(service), code::CACHE_SIZE, Given::Word(size)) => {
            set(&service.cache_size, size)
        }
        (Handle::Service(_), code::CALL_TIMEOUT, Given::Word(millis)) => {
            let timeout = Duration::from_millis(u64::from(millis));
            handle.connection()?.set_call_timeout(timeout);
        }
        (Handle::Session(session), code::USER, Given::Text(user)) => {
            set(&session.user, user.to_uppercase())
        }
        (Handle::Session(session), code::PASSWORD, Given::Text(password)) => {
            set(&session.password, password)
        }
        _ => return Err(unknown(id)),
    }
    Ok(())
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

fn unknown(id: u32) -> Fault {
    Fault::new(24_315, format!("illegal attribute type {id}"))
}
