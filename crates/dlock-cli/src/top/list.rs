//! The rows, in the order and of the kind that is asked for.

use crate::args::Column;
use crate::key;
use crate::table::Row;
use std::cmp::Ordering;

/// What of the rows is shown, and how.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct View {
    pub(super) filter: String,
    pub(super) sort: Column,
    pub(super) is_reversed: bool,
}

impl View {
    /// The rows to be shown.
    pub(super) fn of<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        let numbers = key::numbers(&self.filter);
        let wanted = self.filter.to_lowercase();
        let is_wanted = |row: &&Row| {
            numbers.contains(&row.key)
                || row.cells().iter().any(|cell| cell.to_lowercase().contains(&wanted))
        };
        let mut shown = Vec::from_iter(rows.iter().filter(is_wanted));
        // They come sorted by key and state, and stay so among equals.
        shown.sort_by(|one, other| {
            let order = self.compare(one, other);
            if self.is_reversed { order.reverse() } else { order }
        });
        shown
    }

    fn compare(&self, one: &Row, other: &Row) -> Ordering {
        match self.sort {
            Column::Key => one.key.cmp(&other.key),
            Column::State => one.state.cmp(other.state),
            Column::Session => number(&one.session).cmp(&number(&other.session)),
            Column::User => one.user.cmp(&other.user),
            Column::Host => one.host.cmp(&other.host),
            Column::Application => one.application.cmp(&other.application),
            // The longest first: they are what one looks for.
            Column::Since => {
                let since = |row: &Row| row.since_seconds.unwrap_or(-1.0);
                since(other).total_cmp(&since(one))
            }
        }
    }

    pub(super) fn sort_by_next(&mut self) {
        self.sort = match self.sort {
            Column::Key => Column::State,
            Column::State => Column::Session,
            Column::Session => Column::User,
            Column::User => Column::Host,
            Column::Host => Column::Application,
            Column::Application => Column::Since,
            Column::Since => Column::Key,
        };
    }
}

/// Most servers number their sessions, and 9 comes before 10.
fn number(session: &str) -> (u64, &str) {
    (session.parse().unwrap_or(u64::MAX), session)
}
