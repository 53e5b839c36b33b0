//! The picture of a state.

use super::state::{Dialog, State};
use crate::args::Column;
use crate::table::{HEADER, Row, printable};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{self, Table};
use std::time::Duration;

const HELP: &str = "q quit  / filter  s sort  r reverse  f free  space look";
/// Rows that are older are called old.
const OLD: Duration = Duration::from_secs(15);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
/// What the row that is selected has.
pub(super) const MARK: Modifier = Modifier::REVERSED;

/// Draws it.
pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>) {
    let areas = [Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)];
    let [top, middle, bottom] = Layout::vertical(areas).areas(frame.area());
    frame.render_widget(Line::from(heading(state)).style(BOLD), top);
    // The heading takes a line of it.
    state.pages.height = usize::from(middle.height.saturating_sub(1));
    let table = table(state);
    frame.render_stateful_widget(table, middle, &mut state.pages.table);
    frame.render_widget(Line::from(footing(state)), bottom);
}

fn heading(state: &State) -> String {
    let holds = state.rows.iter().filter(|row| row.holds()).count();
    let waits = state.rows.len() - holds;
    let filter = match state.view.filter.as_str() {
        "" => String::new(),
        filter => format!("  only {}", printable(filter)),
    };
    format!("dlock  {}  {holds} held, {waits} waiting{filter}", printable(&state.server))
}

fn footing(state: &State) -> String {
    match &state.dialog {
        Dialog::Filter(_) => return format!("filter: {}_", printable(&state.view.filter)),
        Dialog::Question(ending) => {
            let (sessions, keys) = (ending.sessions.join(", "), state.ending(ending).join(", "));
            let sentence = format!("end session {sessions}, with all of {keys}? [y/N]");
            return printable(&sentence);
        }
        Dialog::Browse => {}
    }
    if let Some(said) = state.notice.as_ref().or(state.trouble.as_ref()) {
        return printable(said);
    }
    match state.age > OLD {
        true => format!("the server has not answered for {} seconds", state.age.as_secs()),
        false => HELP.to_owned(),
    }
}

fn table(state: &State) -> Table<'static> {
    let rows = state.view.of(&state.rows);
    let cells = Vec::from_iter(rows.iter().map(|row| aged(row, state.age).cells()));
    let widths = widths(&cells);
    let rows = cells.into_iter().map(|cells| {
        let is_waiting = cells[2] == "waits";
        let style =
            if is_waiting { Style::new().add_modifier(Modifier::DIM) } else { Style::new() };
        widgets::Row::new(cells).style(style)
    });
    let header = widgets::Row::new(header(state)).style(BOLD);
    Table::new(rows, widths)
        .header(header)
        .column_spacing(2)
        .row_highlight_style(Style::new().add_modifier(MARK))
}

/// Time goes on between two looks.
fn aged(row: &Row, age: Duration) -> Row {
    let since_seconds = row.since_seconds.map(|since| since + age.as_secs_f64());
    Row { since_seconds, ..row.clone() }
}

/// As wide as what stands in them; where that is too much, they give way alike.
fn widths(cells: &[[String; 8]]) -> [Constraint; 8] {
    let width = |column: usize| {
        let widest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        // A mark of the order stands behind the name.
        widest.max(HEADER[column].len() + 1)
    };
    std::array::from_fn(|column| Constraint::Max(u16::try_from(width(column)).unwrap_or(u16::MAX)))
}

/// The names of the columns; one has a mark of the order.
fn header(state: &State) -> [String; 8] {
    let sorted = match state.view.sort {
        Column::Key => 0,
        Column::State => 2,
        Column::Session => 3,
        Column::User => 4,
        Column::Host => 5,
        Column::Application => 6,
        Column::Since => 7,
    };
    let mark = if state.view.is_reversed { '▲' } else { '▼' };
    std::array::from_fn(|column| match column == sorted {
        true => format!("{}{mark}", HEADER[column]),
        false => HEADER[column].to_owned(),
    })
}
