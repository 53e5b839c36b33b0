use crate::locks::Server;
use crate::{Key, Mode};
use dlock_locks::{Ask, Driver, What};
use std::borrow::Cow;

/// How many names one batch is about: a request has 2,100 parameters at most, and a shared try takes two.
/// <https://learn.microsoft.com/sql/sql-server/maximum-capacity-specifications-for-sql-server>
pub(crate) const BATCH: usize = 256;

/// What is done to a name. The same numbers of them make the same text, which the server keeps a plan of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Exclusive,
    Update,
    Shared,
    Release,
    ReleaseTwice,
    Undo,
}

impl Form {
    fn of(ask: &Ask<Key>, is_upgraded: bool) -> Self {
        match (ask.what, Mode::from(ask.mode)) {
            (What::Release, _) if is_upgraded => Form::ReleaseTwice,
            (What::Release, _) => Form::Release,
            (What::Undo, _) => Form::Undo,
            (What::Try, Mode::Exclusive) => Form::Exclusive,
            (What::Try, Mode::Update) => Form::Update,
            (What::Try, Mode::Shared) => Form::Shared,
        }
    }

    /// Sets `@r` of this number to what the procedure returned for the name in this parameter; a shared try
    /// has its turnstile in the next one.
    fn text(self, number: usize, name: usize) -> String {
        match self {
            Form::Exclusive => get(number, name, Mode::Exclusive),
            Form::Update => get(number, name, Mode::Update),
            Form::Shared => {
                let get = get(number, name, Mode::Shared);
                format!("IF APPLOCK_TEST('public', @P{}, 'Shared', 'Session') = 1 {get}", name + 1)
            }
            Form::Release => release(number, name),
            Form::ReleaseTwice => release(number, name).repeat(2),
            Form::Undo => {
                let release = release(number, name);
                let held = format!("APPLOCK_MODE('public', @P{name}, 'Session') <> 'NoLock'");
                // An upgrade may have been granted.
                format!("IF {held}\nBEGIN\n{release}END;\n").repeat(2)
            }
        }
    }
}

fn get(number: usize, name: usize, mode: Mode) -> String {
    let mode = mode.name();
    format!("EXEC @r{number} = sp_getapplock @P{name}, '{mode}', 'Session', 0, 'public';\n")
}

/// What is not held is an error of the server's, which is no answer.
fn release(number: usize, name: usize) -> String {
    format!(
        "BEGIN TRY EXEC @r{number} = sp_releaseapplock @P{name}, 'Session', 'public'; END TRY \
         BEGIN CATCH SET @r{number} = -999; END CATCH;\n"
    )
}

/// The text of a batch that answers with one row: a number for each thing that it does.
pub(crate) struct BatchText<'a> {
    pub(crate) text: String,
    /// Its parameters.
    pub(crate) names: Vec<Cow<'a, str>>,
    /// Which of the asks each number answers.
    pub(crate) places: Vec<usize>,
}

impl<'a> BatchText<'a> {
    pub(crate) fn new(asks: &'a [Ask<Key>], is_upgraded: impl Fn(&Key) -> bool) -> Self {
        let forms = asks.iter().map(|ask| Form::of(ask, is_upgraded(&ask.key)));
        let mut forms = Vec::from_iter(forms.enumerate());
        forms.sort_by_key(|(_, form)| *form);
        let (mut text, mut names) = (declarations(asks.len()), Vec::new());
        for (number, (place, form)) in forms.iter().enumerate() {
            let key = &asks[*place].key;
            names.push(Cow::from(key.as_str()));
            text.push_str(&form.text(number, names.len()));
            if *form == Form::Shared {
                let turnstile = Server::turnstile(key).map(|key| key.as_str().to_owned());
                names.push(turnstile.unwrap_or_default().into());
            }
        }
        text.push_str(&selection(asks.len()));
        Self { text, names, places: forms.into_iter().map(|(place, _)| place).collect() }
    }
}

/// What a shared try is answered with that was not made.
fn declarations(count: usize) -> String {
    let all = Vec::from_iter((0..count).map(|number| format!("@r{number} int = -1")));
    format!("DECLARE {};\n", all.join(", "))
}

fn selection(count: usize) -> String {
    let all = Vec::from_iter((0..count).map(|number| format!("@r{number}")));
    format!("SELECT {};\n", all.join(", "))
}

#[cfg(test)]
mod tests;
