use super::caller::Caller;
use super::{Server, statement};
use crate::answer::{self, DEADLOCK, GRANTED, OWNED_OR_NOT, TIMED_OUT};
use crate::statement::convert;
use crate::{Error, Key};
use dlock_locks::{Ask, Driver, Mode, SessionOptions, What};
use std::fmt;
use std::time::Duration;

/// A session of [`Locks`](super::Locks).
pub struct ServerSession {
    caller: Caller,
    server: String,
}

impl ServerSession {
    pub(super) async fn begin(caller: Caller, options: &SessionOptions) -> Result<Self, Error> {
        let (name, lease) = (options.name.clone(), options.lease);
        let begun = caller.call(move |connection| {
            // A server that is silent for longer was given up before, and the thread is not to wait for it.
            // A client older than 18 has no such limit.
            drop(connection.set_call_timeout(Some(lease.saturating_mul(3))));
            statement::begin(connection, &name)
        });
        let (role, server) = begun.await?;
        answer::primary(role)?;
        Ok(Self { caller, server })
    }

    pub(super) fn is_cluster(&self) -> bool {
        self.server.ends_with(" cluster")
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl dlock_locks::Session for ServerSession {
    type Key = Key;
    type Error = Error;

    fn server(&self) -> &str {
        &self.server
    }

    fn has_lease(&self) -> bool {
        false
    }

    async fn run(&self, asks: &[Ask<Key>]) -> Result<Vec<bool>, Error> {
        let text: String = asks.iter().map(part).collect();
        let digits =
            self.caller.call(move |connection| statement::batch(connection, &text)).await?;
        let codes = digits.chars().map(|digit| digit.to_digit(10).map_or(-1, i64::from));
        let truths = asks.iter().zip(codes).map(|(ask, code)| truth(ask.what, code));
        let truths: Vec<bool> = truths.collect::<Result<_, _>>()?;
        if truths.len() == asks.len() { Ok(truths) } else { Err(answer::refused(-1)) }
    }

    /// Less than a second is rounded up to one: what was asked for by then is told that its time is over,
    /// and whoever polls in its place never gets a key for which others queue.
    async fn wait(&self, key: &Key, mode: Mode, limit: Duration) -> Result<bool, Error> {
        let (id, turnstile) = (key.id(), turnstile(key, mode));
        let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
        let call = self.caller.call(move |connection| {
            statement::wait(connection, id, mode.into(), turnstile, seconds)
        });
        granted(call.await?)
    }

    async fn convert(
        &self,
        key: &Key,
        _from: Mode,
        to: Mode,
        limit: Duration,
    ) -> Result<bool, Error> {
        let id = key.id();
        let call = self.caller.call(move |it| convert(it, id, to.into(), limit));
        granted(call.await?)
    }

    async fn ping(&self) -> Result<(), Error> {
        self.caller.call(|connection| connection.ping()).await
    }

    fn is_ended(&self) -> bool {
        self.caller.has_ended()
    }

    async fn ended(&self) {
        self.caller.ended().await;
    }

    async fn end(self) {
        self.caller.end().await;
    }
}

/// The turnstile that somebody who asks in this mode has to pass.
fn turnstile(key: &Key, mode: Mode) -> Option<u32> {
    Server::turnstile(key).filter(|_| mode == Mode::Shared).map(|turnstile| turnstile.id())
}

fn part(ask: &Ask<Key>) -> String {
    let mode = (ask.what == What::Try).then(|| ask.mode.into());
    // Of a call that was interrupted the turnstile may be left.
    let passes = ask.what != What::Release;
    let turnstile = turnstile(&ask.key, ask.mode).filter(|_| passes);
    statement::ask(mode, ask.key.id(), turnstile)
}

fn truth(what: What, code: i64) -> Result<bool, Error> {
    match (what, code) {
        (What::Release, OWNED_OR_NOT) => Ok(false),
        (What::Undo, OWNED_OR_NOT) => Ok(true),
        (_, code) => granted(code),
    }
}

/// A deadlock is between sessions that know nothing of each other here: the wait is over like any other.
fn granted(code: i64) -> Result<bool, Error> {
    match code {
        GRANTED => Ok(true),
        TIMED_OUT | DEADLOCK => Ok(false),
        code => Err(answer::refused(code)),
    }
}

impl fmt::Debug for ServerSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSession").field("server", &self.server).finish_non_exhaustive()
    }
}
