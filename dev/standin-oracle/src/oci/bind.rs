//! A program variable: the client's memory behind a placeholder or a column.

use super::memory::Memory;
use crate::fault::Fault;
use crate::number;
use crate::sql::{Type, Value};

/// The external types that are understood, by the interface's numbers.
const CHARACTER: u16 = 1;
const NUMBER: u16 = 2;
const INTEGER: u16 = 3;
const FLOAT: u16 = 4;
const VARNUM: u16 = 6;
const BINARY_DOUBLE: u16 = 22;
const FIXED_CHARACTER: u16 = 96;
const BOOLEAN: u16 = 252;

/// Buffers that hold one value, or an array of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bind {
    pub(super) external: u16,
    pub(super) memory: Memory,
}

/// The buffers of a column, by its position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Define {
    pub(super) position: usize,
    pub(super) bind: Bind,
}

impl Bind {
    /// The type of the values, or ORA-03115 for those that are not understood.
    pub(super) fn kind(&self) -> Result<Type, Fault> {
        match self.external {
            CHARACTER | FIXED_CHARACTER => Ok(Type::Text),
            NUMBER | FLOAT | VARNUM | BINARY_DOUBLE => Ok(Type::Number),
            INTEGER => Ok(Type::Integer),
            BOOLEAN => Ok(Type::Bool),
            _ => Err(Fault::new(3115, "unsupported network datatype or representation")),
        }
    }

    pub(super) fn read(&self) -> Result<Value, Fault> {
        if self.memory.is_null() {
            return Ok(Value::Null);
        }
        let bytes = self.memory.value();
        match self.external {
            CHARACTER | FIXED_CHARACTER => {
                Ok(Value::Text(String::from_utf8_lossy(&bytes).into_owned()))
            }
            VARNUM | NUMBER => sized(&bytes).map(|bytes| Value::Number(number::decode(&bytes))),
            INTEGER => integer(&bytes).map(|value| Value::Number(number::from_integer(value))),
            BOOLEAN => Ok(Value::Bool(bytes.iter().any(|byte| *byte != 0))),
            _ => sized(&bytes).map(|bytes| Value::Number(f64::from_ne_bytes(bytes))),
        }
    }

    pub(super) fn write(&self, value: &Value) -> Result<(), Fault> {
        self.write_at(0, value)
    }

    pub(super) fn write_at(&self, index: usize, value: &Value) -> Result<(), Fault> {
        if *value == Value::Null {
            self.memory.set_null(index);
            return Ok(());
        }
        let bytes = match self.external {
            CHARACTER | FIXED_CHARACTER => value.text().into_bytes(),
            VARNUM | NUMBER => number::encode(value.number()?).to_vec(),
            INTEGER => self.whole(value.integer()?)?,
            BOOLEAN => i32::from(value.is_true()).to_ne_bytes().to_vec(),
            _ => value.number()?.to_ne_bytes().to_vec(),
        };
        if bytes.len() > self.memory.size() {
            return Err(Fault::new(
                6502,
                "PL/SQL: numeric or value error: character string buffer too small",
            ));
        }
        self.memory.set(index, &bytes);
        Ok(())
    }

    fn whole(&self, value: i64) -> Result<Vec<u8>, Fault> {
        if self.memory.size() == 8 {
            return Ok(value.to_ne_bytes().to_vec());
        }
        let value = i32::try_from(value)
            .map_err(|_| Fault::new(1455, "converting column overflows integer datatype"))?;
        Ok(value.to_ne_bytes().to_vec())
    }
}

fn integer(bytes: &[u8]) -> Result<i64, Fault> {
    match bytes.len() {
        4 => sized(bytes).map(|bytes| i64::from(i32::from_ne_bytes(bytes))),
        _ => sized(bytes).map(i64::from_ne_bytes),
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes
        .try_into()
        .map_err(|_| Fault::new(1460, "unimplemented or unreasonable conversion requested"))
}
