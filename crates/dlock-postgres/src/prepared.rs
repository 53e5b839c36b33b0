use crate::call::{Call, Form};
use crate::{Key, Mode, texts};
use tokio_postgres::Statement;

/// What was prepared in a session, as far as is known: the caller may have dropped it (DISCARD,
/// DEALLOCATE).
#[derive(Default)]
pub(crate) struct Prepared {
    calls: Vec<((Call, Mode, Form), Statement)>,
    /// Prepared by name, since a wait must be a simple query.
    waits: Vec<((Mode, Form), String)>,
    /// How many names were given. None is given twice: what became of an old one is not known.
    names: u32,
    /// The session limits its statements, and a prepared wait cannot lift that.
    is_limited: bool,
}

impl Prepared {
    pub(crate) fn call(&self, call: Call, mode: Mode, form: Form) -> Option<Statement> {
        let mut calls = self.calls.iter();
        calls.find(|(what, _)| *what == (call, mode, form)).map(|(_, statement)| statement.clone())
    }

    pub(crate) fn keep(&mut self, call: Call, mode: Mode, form: Form, statement: Statement) {
        self.calls.retain(|(what, _)| *what != (call, mode, form));
        self.calls.push(((call, mode, form), statement));
    }

    /// A wait by its prepared statement, where it can do.
    pub(crate) fn wait(&self, mode: Mode, key: Key, millis: u64) -> Option<String> {
        let name = self.name(mode, key.form()).filter(|_| !self.is_limited)?;
        Some(texts::execute(name, key, millis))
    }

    /// A wait in full, with a look at the session's limit before it, which also prepares it for the
    /// next time.
    pub(crate) fn wait_in_full(&mut self, mode: Mode, key: Key, millis: u64) -> String {
        let form = key.form();
        let prepare = match self.name(mode, form) {
            Some(_) => String::new(),
            None => texts::prepare(self.add_name(mode, form), mode, form),
        };
        [&prepare, texts::LIMIT, &texts::waiting(mode, &key.arguments(), millis)].concat()
    }

    /// What the look at the limit saw.
    pub(crate) fn set_limit(&mut self, limit: Option<&str>) {
        self.is_limited = limit != Some("0");
    }

    /// Forgets the waits: they may be gone.
    pub(crate) fn forget_waits(&mut self) {
        self.waits.clear();
    }

    fn name(&self, mode: Mode, form: Form) -> Option<&str> {
        let mut waits = self.waits.iter();
        waits.find(|(what, _)| *what == (mode, form)).map(|(_, name)| name.as_str())
    }

    fn add_name(&mut self, mode: Mode, form: Form) -> &str {
        self.names += 1;
        self.waits.push(((mode, form), format!("dlock_wait_{}", self.names)));
        &self.waits[self.waits.len() - 1].1
    }
}
