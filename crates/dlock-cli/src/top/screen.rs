//! The terminal, which is left as it was found: at the end, in a panic, and while it is stopped.

use crate::status::Failure;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};
use rustix::process::{Signal, getpid, kill_process};
use std::io::{self, Stdout};
use std::panic;
use std::sync::Once;

/// A terminal that is drawn on until this is dropped.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    pub(super) fn enter() -> Result<Self, Failure> {
        restore_in_a_panic();
        take().map(Self).map_err(|error| {
            restore();
            failed(&error)
        })
    }

    pub(super) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> Result<(), Failure> {
        self.0.draw(picture).map(drop).map_err(|error| failed(&error))
    }

    /// Stops this process, as Ctrl-Z does, and returns when it goes on.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        restore();
        // Where nobody could let it go on, the system does not stop it.
        let _ = kill_process(getpid(), Signal::TSTP);
        self.0 = take().map_err(|error| failed(&error))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// A terminal on which nothing is drawn yet.
fn take() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen)?;
    Terminal::new(CrosstermBackend::new(io::stdout()))
}

/// The terminal may have gone.
fn restore() {
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

/// What a panic says belongs on the screen that was there before.
fn restore_in_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let say = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            say(panic);
        }));
    });
}

fn failed(error: &io::Error) -> Failure {
    Failure::system("drawing on the terminal", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::process::Command;

    const PANICS: &str = "DLOCK_TEST_PANICS";

    /// Runs itself by way of script(1), which gives it a terminal and writes down all that it was sent.
    #[test]
    fn a_panic_is_said_on_the_screen_that_was_there_before() {
        if env::var_os(PANICS).is_some() {
            let mut screen = Screen::enter().unwrap();
            screen.draw(|frame| frame.render_widget("drawn", frame.area())).unwrap();
            panic!("as it has to be");
        }
        let name = "top::screen::tests::a_panic_is_said_on_the_screen_that_was_there_before";
        let this = env::current_exe().unwrap();
        let run = format!(
            "stty rows 24 cols 80; '{}' --exact {name} --nocapture; stty -a",
            this.display()
        );
        let output = Command::new("script")
            .args(["-qc", &run, "/dev/null"])
            .env(PANICS, "1")
            .output()
            .unwrap();
        let written = String::from_utf8(output.stdout).unwrap();
        let place = |text: &str| written.find(text).unwrap_or_else(|| panic!("{text}: {written}"));
        let (entered, left) = (place("\u{1b}[?1049h"), place("\u{1b}[?1049l"));
        assert!(entered < place("drawn") && place("drawn") < left, "{written}");
        assert!(left < place("as it has to be"), "{written}");
        assert!(place("as it has to be") < place(" icanon") && place(" echo ") > left, "{written}");
    }
}
