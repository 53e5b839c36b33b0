use crate::call::{Call, Form};
use crate::{Mode, texts};
use tokio_postgres::{SimpleQueryRow, Statement};

/// What was prepared in a session, as far as is known: the caller may have dropped it (DISCARD,
/// DEALLOCATE).
#[derive(Default)]
pub(crate) struct Prepared {
    calls: Vec<((Call, Mode, Form), Statement)>,
    waits: Vec<Named>,
    /// How many names were given. None is given twice: what became of an old one is not known.
    names: u32,
    /// The session limits its statements, and a prepared wait cannot lift that.
    is_limited: bool,
}

/// A wait that is prepared by name, since it must be a simple query.
struct Named {
    mode: Mode,
    form: Form,
    name: String,
    /// The server has shown it. Else its message may have been lost or refused.
    is_there: bool,
}

/// The text of a wait.
#[derive(Debug)]
pub(crate) enum Wait {
    /// By its prepared statement.
    Prepared(String),
    /// In full, behind a look at what a later one may rely on.
    InFull(String),
}

impl Wait {
    pub(crate) fn text(&self) -> &str {
        let (Self::Prepared(text) | Self::InFull(text)) = self;
        text
    }
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

    /// A wait of so many milliseconds (0: for ever): by its prepared statement where that can do, else
    /// in full; the first of its kind prepares it for the next time. The key comes as arguments.
    pub(crate) fn wait(&mut self, mode: Mode, form: Form, key: &str, millis: u64) -> Wait {
        let named = self.waits.iter().find(|named| (named.mode, named.form) == (mode, form));
        match named {
            Some(Named { name, is_there: true, .. }) if !self.is_limited => {
                Wait::Prepared(texts::execute(name, key, millis))
            }
            Some(Named { name, .. }) => in_full("", name, mode, key, millis),
            None => {
                let name = self.add_name(mode, form);
                in_full(&texts::prepare(name, mode, form), name, mode, key, millis)
            }
        }
    }

    fn add_name(&mut self, mode: Mode, form: Form) -> &str {
        self.names += 1;
        let name = format!("dlock_wait_{mode}_{form:?}_{}", self.names).to_lowercase();
        self.waits.push(Named { mode, form, name, is_there: false });
        &self.waits[self.waits.len() - 1].name
    }

    /// Learns from the answer to a wait. `true`: nothing was done, and it has to be said again.
    pub(crate) fn learn(&mut self, wait: &Wait, rows: &[SimpleQueryRow]) -> bool {
        let [first, ..] = rows else { return false };
        match wait {
            Wait::Prepared(_) => {
                self.is_limited = first.get(0) == Some("limited");
                return self.is_limited;
            }
            Wait::InFull(_) => self.is_limited = first.get(0) != Some("0"),
        }
        // The look tells a name, and whether it is there.
        let mut waits = self.waits.iter();
        if let Some(place) = waits.position(|named| Some(named.name.as_str()) == first.get(1)) {
            match first.get(2) {
                Some("t") => self.waits[place].is_there = true,
                _ => drop(self.waits.remove(place)),
            }
        }
        false
    }

    /// Forgets the waits: they may be gone.
    pub(crate) fn forget_waits(&mut self) {
        self.waits.clear();
    }
}

fn in_full(prepare: &str, name: &str, mode: Mode, key: &str, millis: u64) -> Wait {
    let mut text = [prepare, &texts::look(name)].concat();
    texts::wait(&mut text, mode, key, millis);
    Wait::InFull(text)
}
