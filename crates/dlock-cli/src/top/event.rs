//! What happens, and what is to be done about it.

use crate::table::Row;
use ratatui::crossterm::event::KeyEvent;

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Event {
    /// A key of the keyboard's.
    Key(KeyEvent),
    /// The terminal is of another size, or time has passed.
    Tick,
    /// The server has told who holds and who waits, or why it did not.
    Looked(Result<Vec<Row>, String>),
    /// Sessions were ended, with this many holds and waits, or were not, for this reason.
    Freed(Result<usize, String>),
    /// Nobody is at the keyboard any more.
    Gone,
}

/// What the state cannot do by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    End,
    /// Stop, as Ctrl-Z asks for, until a shell lets it go on.
    Stop,
    /// Ask the server at once.
    Look,
    Free(Ending),
}

/// Sessions to be ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Ending {
    /// The key, as the server knows it.
    pub(super) key: String,
    /// Those that held it when the question was asked.
    pub(super) sessions: Vec<String>,
}
