//! An error as the server reports it.

use std::fmt;

/// An error number of the server's and the whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: i32,
    pub(crate) message: String,
}

/// Where in a text something is wrong, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Fault {
    /// `ORA-nnnnn: text`.
    pub(crate) fn new(code: i32, text: impl fmt::Display) -> Self {
        Self { code, message: format!("ORA-{code:05}: {text}") }
    }

    /// ORA-06550 around an error of the PL/SQL compiler.
    pub(crate) fn compile(place: Place, number: u32, text: impl fmt::Display) -> Self {
        let Place { line, column } = place;
        let inner = format!("line {line}, column {column}:\nPLS-{number:05}: {text}");
        let closing = format!("ORA-06550: line {line}, column 1:\nPL/SQL: Statement ignored");
        Self { code: 6550, message: format!("ORA-06550: {inner}\n{closing}") }
    }

    /// PLS-00103, the compiler's syntax error.
    pub(crate) fn syntax(place: Place, found: &str, expected: &str) -> Self {
        let text = format!(
            "Encountered the symbol \"{found}\" when expecting one of the following:\n\n   {expected}"
        );
        Self::compile(place, 103, text)
    }

    pub(crate) fn killed() -> Self {
        Self::new(28, "your session has been killed")
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(1013, "user requested cancel of current operation")
    }

    pub(crate) fn end_of_file() -> Self {
        Self::new(3113, "end-of-file on communication channel")
    }

    pub(crate) fn not_connected() -> Self {
        Self::new(3114, "not connected to ORACLE")
    }

    pub(crate) fn call_timeout() -> Self {
        Self::new(3156, "OCI call timed out")
    }

    /// Whether a PL/SQL handler may catch this; a cancel and the end of the session pass by.
    pub(crate) fn is_catchable(&self) -> bool {
        !matches!(self.code, 28 | 1013 | 3113 | 3114 | 3156)
    }
}
