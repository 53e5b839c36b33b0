//! Which row is meant, while rows come and go.

use crate::table::Row;
use ratatui::crossterm::event::KeyCode;
use ratatui::widgets::TableState;

/// A row that is selected, and what of the rows fits on the terminal.
#[derive(Default, Debug)]
pub(super) struct Pages {
    /// The key and the session of the row that is selected: it is the same one wherever it goes.
    selected: Option<(String, String)>,
    pub(super) table: TableState,
    /// How many rows fit.
    pub(super) height: usize,
}

impl Pages {
    /// Finds the row again. One that has gone gives way to what stands in its place.
    pub(super) fn follow(&mut self, rows: &[&Row]) {
        let selected = self.selected.as_ref();
        let is_it = |row: &&Row| selected.is_some_and(|it| *it == of(row));
        let place = rows.iter().position(is_it).or(self.table.selected());
        self.select(place.unwrap_or(0), rows);
    }

    pub(super) fn selected<'a>(&self, rows: &[&'a Row]) -> Option<&'a Row> {
        rows.get(self.table.selected()?).copied()
    }

    /// Moves, where this key of the keyboard's is for that.
    pub(super) fn go(&mut self, key: KeyCode, rows: &[&Row]) {
        let place = self.table.selected().unwrap_or(0);
        let page = self.height.max(1);
        let place = match key {
            KeyCode::Up | KeyCode::Char('k') => place.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => place.saturating_add(1),
            KeyCode::PageUp => place.saturating_sub(page),
            KeyCode::PageDown => place.saturating_add(page),
            KeyCode::Home => 0,
            KeyCode::End => rows.len(),
            _ => return,
        };
        self.select(place, rows);
    }

    fn select(&mut self, place: usize, rows: &[&Row]) {
        let place = place.min(rows.len().saturating_sub(1));
        self.selected = rows.get(place).map(|row| of(row));
        self.table.select(self.selected.as_ref().map(|_| place));
    }
}

fn of(row: &Row) -> (String, String) {
    (row.key.clone(), row.session.clone())
}
