//! `dlock top`: who holds and who waits, live on a terminal.

mod draw;
mod event;
mod hands;
mod list;
mod pages;
mod screen;
mod state;
#[cfg(test)]
mod tests;

use crate::args;
use crate::locks;
use crate::signals::Heeded;
use crate::status::{BUSY, Failure, USAGE};
use crate::table;
use crate::url::Source;
use event::{Event, Wish};
use hands::Hands;
use screen::Screen;
use state::State;
use std::io::{self, IsTerminal};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often ages are drawn anew.
const TICKS: Duration = Duration::from_millis(250);

/// Shows who holds and who waits, until it is told to end.
pub(crate) async fn top(source: &Source, top: &args::Top) -> Result<u8, Failure> {
    let url = source.url()?;
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(Failure::new(USAGE, "there is no terminal to draw on; use `dlock list`"));
    }
    let locks = locks::later(&url, "dlock top")?;
    let mut signals = Heeded::new()?;
    // What cannot work is said before the terminal is touched.
    let first = async { locks.holders().await.map_err(|it| locks::failure(&url, &it, BUSY)) };
    let first = signals.unless_one_comes(first).await?;
    let mut state = State::new(url.server(), top);
    state.on(Event::Looked(Ok(table::rows(first))), Duration::ZERO);
    let (hands, events) = Hands::new(&locks, &url, top.interval);
    signals.unless_one_comes(show(state, hands, events)).await
}

async fn show(
    mut state: State,
    hands: Hands,
    mut events: UnboundedReceiver<Event>,
) -> Result<u8, Failure> {
    let (began, mut ticks) = (Instant::now(), interval(TICKS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut screen = Screen::enter()?;
    hands.read_keys();
    loop {
        screen.draw(|frame| draw::draw(&mut state, frame))?;
        let event = tokio::select! {
            Some(event) = events.recv() => event,
            _ = ticks.tick() => Event::Tick,
        };
        match state.on(event, began.elapsed()) {
            Some(Wish::End) => return Ok(0),
            Some(Wish::Stop) => screen.stop()?,
            Some(Wish::Look) => hands.look(),
            Some(Wish::Free(ending)) => hands.free(ending),
            None => {}
        }
    }
}
