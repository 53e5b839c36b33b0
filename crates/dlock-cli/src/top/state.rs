//! What `dlock top` knows and is asked for. It takes events and says what is to be done; it does nothing itself.

use super::event::{Ending, Event, Wish};
use super::list::View;
use super::pages::Pages;
use crate::args::Top;
use crate::table::Row;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::time::Duration;

/// What the keyboard is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Dialog {
    Browse,
    /// A filter is being typed; what it was before.
    Filter(String),
    /// Whether to end these.
    Question(Ending),
}

/// All that is shown.
#[derive(Debug)]
pub(super) struct State {
    /// The server, without a password.
    pub(super) server: String,
    pub(super) rows: Vec<Row>,
    pub(super) view: View,
    pub(super) dialog: Dialog,
    pub(super) pages: Pages,
    /// What was said last, until the next key.
    pub(super) notice: Option<String>,
    /// Why the server could not be asked the last time.
    pub(super) trouble: Option<String>,
    /// How long ago the rows were told.
    pub(super) age: Duration,
    looked: Duration,
}

impl State {
    pub(super) fn new(server: String, top: &Top) -> Self {
        let view = View { filter: top.filter.clone(), sort: top.sort, is_reversed: false };
        Self {
            server,
            rows: Vec::new(),
            view,
            dialog: Dialog::Browse,
            pages: Pages::default(),
            notice: None,
            trouble: None,
            age: Duration::ZERO,
            looked: Duration::ZERO,
        }
    }

    /// Takes what has happened at this time.
    pub(super) fn on(&mut self, event: Event, now: Duration) -> Option<Wish> {
        let wish = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => self.typed(key),
            Event::Key(_) | Event::Tick => None,
            Event::Looked(told) => self.told(told, now),
            Event::Freed(freed) => self.freed(freed),
            Event::Gone => Some(Wish::End),
        };
        self.age = now.saturating_sub(self.looked);
        self.pages.follow(&self.view.of(&self.rows));
        wish
    }

    fn told(&mut self, told: Result<Vec<Row>, String>, now: Duration) -> Option<Wish> {
        self.trouble = told.as_ref().err().cloned();
        if let Ok(rows) = told {
            (self.rows, self.looked) = (rows, now);
        }
        None
    }

    fn freed(&mut self, freed: Result<usize, String>) -> Option<Wish> {
        self.notice = Some(match freed {
            Ok(1) => "ended, with one hold or wait".to_owned(),
            Ok(count) => format!("ended, with {count} holds and waits"),
            Err(why) => why,
        });
        Some(Wish::Look)
    }

    fn typed(&mut self, key: KeyEvent) -> Option<Wish> {
        self.notice = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c' | 'd') => Some(Wish::End),
                KeyCode::Char('z') => Some(Wish::Stop),
                KeyCode::Char('l') => Some(Wish::Look),
                _ => None,
            };
        }
        match std::mem::replace(&mut self.dialog, Dialog::Browse) {
            Dialog::Browse => self.browse(key.code),
            Dialog::Filter(before) => self.filter(key.code, before),
            Dialog::Question(ending) => self.answer(key.code, ending),
        }
    }

    fn browse(&mut self, key: KeyCode) -> Option<Wish> {
        match key {
            KeyCode::Char('q') => return Some(Wish::End),
            KeyCode::Char(' ') => return Some(Wish::Look),
            KeyCode::Char('s') => self.view.sort_by_next(),
            KeyCode::Char('r') => self.view.is_reversed = !self.view.is_reversed,
            KeyCode::Char('/') => self.dialog = Dialog::Filter(self.view.filter.clone()),
            KeyCode::Char('f') => self.ask(),
            KeyCode::Esc => self.view.filter.clear(),
            key => self.pages.go(key, &self.view.of(&self.rows)),
        }
        None
    }

    /// What is typed is looked for at once.
    fn filter(&mut self, key: KeyCode, before: String) -> Option<Wish> {
        match key {
            KeyCode::Enter => return None,
            KeyCode::Esc => {
                self.view.filter = before;
                return None;
            }
            KeyCode::Backspace => drop(self.view.filter.pop()),
            KeyCode::Char(it) => self.view.filter.push(it),
            _ => {}
        }
        self.dialog = Dialog::Filter(before);
        None
    }

    fn ask(&mut self) {
        let selected = self.pages.selected(&self.view.of(&self.rows));
        let Some(key) = selected.map(|row| row.key.clone()) else { return };
        let holding = self.rows.iter().filter(|row| row.key == key && row.holds());
        let mut sessions = Vec::from_iter(holding.map(|row| row.session.clone()));
        sessions.sort_unstable();
        sessions.dedup();
        match sessions.is_empty() {
            true => self.notice = Some(format!("nobody holds {key}")),
            false => self.dialog = Dialog::Question(Ending { key, sessions }),
        }
    }

    fn answer(&mut self, key: KeyCode, ending: Ending) -> Option<Wish> {
        if let KeyCode::Char('y' | 'Y') = key {
            return Some(Wish::Free(ending));
        }
        self.notice = Some("nothing was ended".to_owned());
        None
    }

    /// The keys that end with these sessions.
    pub(super) fn ending(&self, ending: &Ending) -> Vec<&str> {
        let rows = self.rows.iter().filter(|row| ending.sessions.contains(&row.session));
        let mut keys = Vec::from_iter(rows.map(|row| row.key.as_str()));
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
