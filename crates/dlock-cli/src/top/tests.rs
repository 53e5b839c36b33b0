use super::draw::draw;
use super::event::{Ending, Event, Wish};
use super::state::State;
use crate::args::{Column, Top};
use crate::table::Row;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

const NOW: Duration = Duration::from_secs(100);

fn row(key: &str, session: &str, state: &'static str, since: f64) -> Row {
    Row {
        key: key.to_owned(),
        name: None,
        mode: "exclusive".to_owned(),
        state,
        session: session.to_owned(),
        user: Some("app".to_owned()),
        host: Some(format!("10.0.0.{session}")),
        application: Some("dlock run".to_owned()),
        since_seconds: Some(since),
    }
}

fn rows() -> Vec<Row> {
    vec![
        row("backup", "9", "holds", 3725.4),
        row("invoice:42", "10", "holds", 2.0),
        row("invoice:42", "11", "waits", 1.0),
        row("invoice:42", "12", "waits", 0.5),
        row("report", "10", "holds", 61.0),
    ]
}

/// A state that has looked once.
fn state() -> State {
    let top = Top { interval: NOW, filter: String::new(), sort: Column::Key };
    let mut state = State::new("postgres://app:***@db/app".to_owned(), &top);
    assert_eq!(state.on(Event::Looked(Ok(rows())), NOW), None);
    state
}

fn key(code: KeyCode) -> Event {
    Event::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

fn typed(state: &mut State, text: &str) -> Option<Wish> {
    let mut wish = None;
    for it in text.chars() {
        let code = if it == '\n' { KeyCode::Enter } else { KeyCode::Char(it) };
        wish = state.on(key(code), NOW);
    }
    wish
}

/// The lines of its picture, and which of them is marked.
fn picture(state: &mut State) -> (Vec<String>, Option<usize>) {
    let mut terminal = Terminal::new(TestBackend::new(96, 9)).unwrap();
    terminal.draw(|frame| draw(state, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let line =
        |y| (0..96).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    let is_marked = |y: &u16| buffer[(0, *y)].modifier.contains(super::draw::MARK);
    ((0..9).map(line).collect(), (0..9).find(is_marked).map(usize::from))
}

/// The first cells of the rows, and the sessions.
fn shown(state: &mut State) -> Vec<String> {
    let (lines, _) = picture(state);
    let rows = lines[2..8].iter().filter(|line| !line.is_empty());
    let cells = rows.map(|line| {
        let cells = Vec::from_iter(line.split_whitespace());
        format!("{} {}", cells[0], cells[3])
    });
    cells.collect()
}

#[test]
fn it_shows_who_holds_and_who_waits() {
    let (lines, marked) = picture(&mut state());
    assert_eq!(
        lines,
        [
            "dlock  postgres://app:***@db/app  3 held, 2 waiting",
            "KEY▼        MODE       STATE   SESSION   USER   HOST       APPLICATION   SINCE",
            "backup      exclusive  holds   9         app    10.0.0.9   dlock run     1h 2m 5s",
            "invoice:42  exclusive  holds   10        app    10.0.0.10  dlock run     2s",
            "invoice:42  exclusive  waits   11        app    10.0.0.11  dlock run     1s",
            "invoice:42  exclusive  waits   12        app    10.0.0.12  dlock run     0s",
            "report      exclusive  holds   10        app    10.0.0.10  dlock run     1m 1s",
            "",
            "q quit  / filter  s sort  r reverse  f free  space look",
        ]
    );
    assert_eq!(marked, Some(2));
}

#[test]
fn time_goes_on_between_two_looks() {
    let mut state = state();
    state.on(Event::Tick, NOW + Duration::from_secs(5));
    assert!(picture(&mut state).0[3].ends_with("7s"));
    state.on(Event::Tick, NOW + Duration::from_secs(20));
    assert_eq!(picture(&mut state).0[8], "the server has not answered for 20 seconds");
    state.on(Event::Looked(Err("no session".to_owned())), NOW + Duration::from_secs(20));
    assert_eq!(picture(&mut state).0[8], "no session");
    state.on(Event::Looked(Ok(rows())), NOW + Duration::from_secs(21));
    assert!(picture(&mut state).0[8].starts_with("q quit"));
}

#[test]
fn rows_are_sorted_by_what_is_asked_for() {
    let mut state = state();
    let mut firsts = Vec::new();
    for _ in 0..7 {
        firsts.push((state.view.sort, shown(&mut state)[0].clone()));
        typed(&mut state, "s");
    }
    let by_host = (Column::Host, "invoice:42 10".to_owned());
    assert_eq!(firsts.remove(4), by_host);
    assert!(firsts.iter().all(|(_, row)| row == "backup 9"), "{firsts:?}");
}

#[test]
fn an_order_may_be_turned_round() {
    let mut state = state();
    typed(&mut state, "sssssss");
    assert_eq!(state.view.sort, Column::Key);
    typed(&mut state, "r");
    assert_eq!(shown(&mut state)[0], "report 10");
    assert!(picture(&mut state).0[1].starts_with("KEY▲"));
    typed(&mut state, "ss");
    let sessions = ["invoice:42 12", "invoice:42 11", "invoice:42 10", "report 10", "backup 9"];
    assert_eq!(shown(&mut state), sessions);
}

#[test]
fn a_filter_is_looked_for_as_it_is_typed() {
    let mut state = state();
    typed(&mut state, "/WAI");
    assert_eq!(shown(&mut state), ["invoice:42 11", "invoice:42 12"]);
    assert_eq!(picture(&mut state).0[8], "filter: WAI_");
    // Letters are no commands meanwhile.
    typed(&mut state, "q");
    assert!(shown(&mut state).is_empty());
    state.on(key(KeyCode::Backspace), NOW);
    typed(&mut state, "\n");
    assert!(picture(&mut state).0[0].ends_with("3 held, 2 waiting  only WAI"));
    typed(&mut state, "/x");
    state.on(key(KeyCode::Esc), NOW);
    assert_eq!(shown(&mut state).len(), 2);
    assert_eq!(state.view.filter, "WAI");
    state.on(key(KeyCode::Esc), NOW);
    assert_eq!(shown(&mut state).len(), 5);
}

/// Where the server has numbers a key is found by its text.
#[test]
fn a_key_is_found_by_its_text() {
    let mut state = state();
    let number = "-8735762693110921056";
    state.on(
        Event::Looked(Ok(vec![row(number, "1", "holds", 0.0), row("7", "2", "holds", 0.0)])),
        NOW,
    );
    typed(&mut state, "/my-resource-key");
    assert_eq!(shown(&mut state), [format!("{number} 1")]);
}

#[test]
fn the_row_that_is_selected_stays_so_wherever_it_goes() {
    let mut state = state();
    typed(&mut state, "jj");
    assert_eq!(picture(&mut state).1, Some(4));
    typed(&mut state, "r");
    assert_eq!(picture(&mut state).1, Some(4), "{:?}", picture(&mut state).0);
    let mut fewer = rows();
    fewer.remove(0);
    typed(&mut state, "r");
    state.on(Event::Looked(Ok(fewer)), NOW);
    assert_eq!(picture(&mut state).1, Some(3));
    // What has gone gives way to the next.
    state.on(Event::Looked(Ok(vec![row("only", "1", "holds", 0.0)])), NOW);
    assert_eq!(picture(&mut state).1, Some(2));
    state.on(Event::Looked(Ok(Vec::new())), NOW);
    assert_eq!(picture(&mut state).1, None);
    for code in [KeyCode::Down, KeyCode::Up, KeyCode::End, KeyCode::PageDown, KeyCode::Home] {
        assert_eq!(state.on(key(code), NOW), None);
    }
    assert_eq!(typed(&mut state, "f"), None);
}

#[test]
fn more_rows_than_fit_are_moved_through() {
    let mut state = state();
    let many = (0..50).map(|it| row(&format!("key{it:02}"), "1", "holds", 0.0));
    state.on(Event::Looked(Ok(many.collect())), NOW);
    let _ = picture(&mut state);
    state.on(key(KeyCode::End), NOW);
    assert_eq!(shown(&mut state).last().unwrap(), "key49 1");
    state.on(key(KeyCode::PageUp), NOW);
    assert!(shown(&mut state).contains(&"key43 1".to_owned()));
    state.on(key(KeyCode::Home), NOW);
    assert_eq!(shown(&mut state)[0], "key00 1");
}

#[test]
fn sessions_are_ended_after_a_question() {
    let mut state = state();
    // One that waits stands for its key, whose holder is asked about.
    typed(&mut state, "jj");
    assert_eq!(typed(&mut state, "f"), None);
    let question = "end session 10, with all of invoice:42, report? [y/N]";
    assert_eq!(picture(&mut state).0[8], question);
    // Another look changes nothing about what was asked.
    state.on(Event::Looked(Ok(Vec::new())), NOW);
    let ending = Ending { key: "invoice:42".to_owned(), sessions: vec!["10".to_owned()] };
    assert_eq!(typed(&mut state, "y"), Some(Wish::Free(ending)));
    assert_eq!(state.on(Event::Freed(Ok(2)), NOW), Some(Wish::Look));
    assert_eq!(picture(&mut state).0[8], "ended, with 2 holds and waits");
    assert_eq!(state.on(Event::Freed(Err("not allowed".to_owned())), NOW), Some(Wish::Look));
    assert_eq!(picture(&mut state).0[8], "not allowed");
}

#[test]
fn anything_but_a_yes_is_a_no() {
    for code in [KeyCode::Char('n'), KeyCode::Enter, KeyCode::Esc, KeyCode::Char('q')] {
        let mut state = state();
        typed(&mut state, "f");
        assert_eq!(state.on(key(code), NOW), None);
        assert_eq!(picture(&mut state).0[8], "nothing was ended");
    }
}

#[test]
fn it_ends_and_stops_when_asked_to() {
    let control = |it| Event::Key(KeyEvent::new(KeyCode::Char(it), KeyModifiers::CONTROL));
    for dialog in ["", "/", "f"] {
        for (event, wish) in [
            (control('c'), Wish::End),
            (control('d'), Wish::End),
            (control('z'), Wish::Stop),
            (Event::Gone, Wish::End),
        ] {
            let mut state = state();
            typed(&mut state, dialog);
            assert_eq!(state.on(event, NOW), Some(wish));
        }
    }
    assert_eq!(typed(&mut state(), "q"), Some(Wish::End));
    assert_eq!(typed(&mut state(), " "), Some(Wish::Look));
}

/// Keys are others' texts.
#[test]
fn a_key_does_not_steer_the_terminal() {
    let mut state = state();
    let hostile = "a\u{1b}[2Jb\u{7}";
    state.on(Event::Looked(Ok(vec![row(hostile, "1", "holds", 0.0)])), NOW);
    typed(&mut state, "f");
    assert!(picture(&mut state).0.iter().all(|line| !line.contains(char::is_control)));
    assert!(picture(&mut state).0[8].contains("a\u{FFFD}[2Jb\u{FFFD}"));
}

#[test]
fn the_smallest_terminal_is_drawn_on() {
    for (width, height) in [(1, 1), (3, 2), (20, 3), (400, 100)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut state = state();
        terminal.draw(|frame| draw(&mut state, frame)).unwrap();
        typed(&mut state, "jf");
        terminal.draw(|frame| draw(&mut state, frame)).unwrap();
    }
}
