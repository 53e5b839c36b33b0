//! What is done for the state: the server is asked, sessions are ended, the keyboard is read.

use super::event::{Ending, Event};
use crate::locks::{self, Error, Holder, Locks};
use crate::status::BUSY;
use crate::table;
use crate::url::Url;
use ratatui::crossterm::event;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// What it does has its answer among the events.
pub(super) struct Hands {
    events: UnboundedSender<Event>,
    looks: Arc<Notify>,
    locks: Locks,
    url: Url,
}

impl Hands {
    /// The server is asked from now on.
    pub(super) fn new(
        locks: &Locks,
        url: &Url,
        interval: Duration,
    ) -> (Self, UnboundedReceiver<Event>) {
        let (events, receiver) = unbounded_channel();
        let hands = Self { events, looks: Arc::default(), locks: locks.clone(), url: url.clone() };
        let (events, looks) = (hands.events.clone(), Arc::clone(&hands.looks));
        let (locks, url) = (locks.clone(), url.clone());
        tokio::spawn(async move {
            loop {
                // Whichever comes first: the time, or a wish.
                let _ = timeout(interval, looks.notified()).await;
                let told = locks.holders().await;
                let told = told.map(table::rows).map_err(|error| sentence(&url, &error));
                if events.send(Event::Looked(told)).is_err() {
                    return;
                }
            }
        });
        (hands, receiver)
    }

    /// The server is asked at once.
    pub(super) fn look(&self) {
        self.looks.notify_one();
    }

    /// Ends those that hold the key, if they are still the same.
    pub(super) fn free(&self, ending: Ending) {
        let (locks, url, events) = (self.locks.clone(), self.url.clone(), self.events.clone());
        tokio::spawn(async move {
            // Who has gone away wants no answer.
            let _ = events.send(Event::Freed(free(&locks, &url, &ending).await));
        });
    }

    /// Reads the keyboard, on a thread that ends with the process.
    pub(super) fn read_keys(&self) {
        let events = self.events.clone();
        thread::spawn(move || {
            loop {
                let event = match event::read() {
                    Ok(event::Event::Key(key)) => Event::Key(key),
                    Ok(_) => Event::Tick,
                    Err(_) => Event::Gone,
                };
                let is_last = event == Event::Gone;
                if events.send(event).is_err() || is_last {
                    return;
                }
            }
        });
    }
}

async fn free(locks: &Locks, url: &Url, ending: &Ending) -> Result<usize, String> {
    let said = |error| sentence(url, &error);
    let all = locks.holders().await.map_err(said)?;
    let of_key = |it: &&Holder| it.key.to_string() == ending.key && !it.is_waiting;
    let holding = Vec::from_iter(all.iter().filter(of_key));
    let mut sessions = Vec::from_iter(holding.iter().map(|it| it.session.clone()));
    sessions.sort_unstable();
    sessions.dedup();
    match holding.first() {
        Some(holder) if sessions == ending.sessions => {
            locks.free(holder.key.clone()).await.map(|freed| freed.len()).map_err(said)
        }
        _ => Err("others hold it by now, so nothing was ended".to_owned()),
    }
}

fn sentence(url: &Url, error: &Error) -> String {
    locks::failure(url, error, BUSY).sentence.unwrap_or_default()
}
