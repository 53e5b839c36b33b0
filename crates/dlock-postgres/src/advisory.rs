use crate::answer::{Answer, ends_session, meaning, queue, read, standby, truth};
use crate::book::Entry;
use crate::call::Call;
use crate::cancel::Waiting;
use crate::texts::{Acquire, Texts};
use crate::{AsClient, Canceller, Error, Key, Mode};
use dlock_core::{
    ByRef, Deadline, RawCancel, RawIntoSession, RawLock, RawNew, RawShared, RawUnlock, Wait,
};
use std::fmt;
use std::pin::pin;
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryRow};

/// The longest `lock_timeout` that the server takes, in milliseconds: a good 24 days.
pub(crate) const LONGEST: Duration = Duration::from_millis(2_147_483_647);

/// The answer to a message.
type Heard = Result<Vec<SimpleQueryRow>, tokio_postgres::Error>;

/// An advisory lock that is held by the session.
pub struct Advisory<S> {
    /// In a box, so that an owned client has one address while it lives: its name in the book.
    session: Box<S>,
    key: Key,
    mode: Mode,
    texts: Texts,
    canceller: Option<Canceller>,
    /// The key in the book, while it is held or waited for.
    entry: Option<Entry>,
    /// Whether the key is certainly held, so that a release needs no look at `pg_locks`.
    held: bool,
    waiting: Option<Waiting>,
    /// The unlock that `abandon` queued.
    leaving: Option<Answer>,
    ended: bool,
}

impl<S: AsClient> Advisory<S> {
    /// A lock that has sent nothing yet.
    pub(crate) fn of(session: S, key: Key) -> Self {
        Self {
            session: Box::new(session),
            key,
            mode: Mode::Exclusive,
            texts: Texts::new(key, Mode::Exclusive),
            canceller: None,
            entry: None,
            held: false,
            waiting: None,
            leaving: None,
            ended: false,
        }
    }

    fn client(&self) -> &Client {
        self.session.client()
    }

    /// Tries once. The same inside and outside a transaction.
    async fn attempt(&mut self) -> Result<bool, Error> {
        self.call(Call::Try).await?.ok_or_else(standby)
    }

    async fn call(&mut self, call: Call) -> Result<Option<bool>, Error> {
        let answer = match self.session.own() {
            Some(session) => session.call(call, self.mode, self.key).await,
            None => match self.session.client().simple_query_raw(self.texts.call(call)).await {
                Ok(answer) => read(pin!(answer)).await.map(|rows| truth(&rows)),
                Err(error) => Err(error),
            },
        };
        answer.map_err(|error| self.failed(error))
    }

    /// Waits in the server's queue, in slices where one time-out cannot say it.
    async fn queue_up(&mut self, wait: Wait) -> Result<bool, Error> {
        let deadline = Deadline::new(wait);
        loop {
            let (slice, last) = deadline.slice_or_forever(LONGEST);
            // 0 is for ever: a wait shorter than a millisecond is one.
            let millis = slice.limit().map_or(0, |limit| Wait::millis(limit).max(1));
            let granted = match self.wait_once(millis).await {
                Ok(rows) => granted(&rows)?,
                Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => false,
                // Rare and large.
                Err(error) => return Err(Box::pin(self.not_granted(error)).await),
            };
            if granted || last {
                return Ok(granted);
            }
        }
    }

    /// One wait, which is one message. Over a session of our own it is prepared; said once more when
    /// nothing was done. Its answer is kept where a drop can call the wait off.
    async fn wait_once(&mut self, millis: u64) -> Heard {
        let client = self.session.client();
        let Some(session) = self.session.own() else {
            let text = self.texts.acquire(Acquire::Wait(millis));
            let sent = client.simple_query_raw(text).await?;
            let heard = self.waiting.insert(Waiting::new(sent)).read().await;
            self.waiting = None;
            return heard;
        };
        loop {
            let (form, key) = (self.key.form(), self.texts.arguments());
            let wait = session.prepared().wait(self.mode, form, key, millis);
            let sent = client.simple_query_raw(wait.text()).await?;
            let waiting = self.waiting.insert(Waiting::new(sent));
            let heard = session.attend(pin!(waiting.read())).await;
            self.waiting = None;
            if !session.learn(&wait, &heard) {
                return heard;
            }
        }
    }

    /// What a wait that failed means.
    async fn not_granted(&mut self, error: tokio_postgres::Error) -> Error {
        if error.code() != Some(&SqlState::QUERY_CANCELED) {
            return self.failed(error);
        }
        // It may have come after the grant. Another one may meet the unlock.
        if self.settle().await.is_err() && self.settle().await.is_err() {
            self.ended = true;
        }
        meaning(error)
    }

    /// Keeps in mind an error that ended the session.
    fn failed(&mut self, error: tokio_postgres::Error) -> Error {
        self.ended |= ends_session(&error);
        meaning(error)
    }
}

/// What the wait's last row says: what refuses is followed by no other, and has one column.
fn granted(rows: &[SimpleQueryRow]) -> Result<bool, Error> {
    let refusal = rows.last().filter(|row| row.columns().len() == 1);
    match refusal.and_then(|row| row.get(0)) {
        Some("standby") => Err(standby()),
        Some("transaction") => Err(Error::Refused {
            code: 25001,
            meaning: "a transaction is open on this session; lock before BEGIN, \
                      or use XactLock, or try_lock",
        }),
        _ => Ok(true),
    }
}

impl<S: AsClient> RawLock for Advisory<S> {
    type Key = Key;
    type Mode = Mode;
    type Session = Client;
    type Lend = ByRef;
    type Error = tokio_postgres::Error;

    const SYSTEM: &'static str = "postgresql";

    fn key(&self) -> &Key {
        &self.key
    }

    fn mode(&self) -> Mode {
        self.mode
    }

    fn session(&mut self) -> Option<&Client> {
        Some(self.session.client())
    }

    fn is_closed(&self) -> bool {
        self.ended || self.client().is_closed()
    }

    async fn lock(&mut self, wait: Wait) -> Result<bool, Error> {
        self.entry = Some(Entry::take(self.client(), self.key).ok_or(Error::AlreadyHeld)?);
        let answer = match wait {
            Wait::No => self.attempt().await,
            _ => self.queue_up(wait).await,
        };
        self.held = matches!(answer, Ok(true));
        if !self.held {
            self.entry = None;
        }
        answer
    }

    fn abandon(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let undo = self.texts.unlock_if_held();
            waiting.call_off(self.session.client(), &undo, self.canceller.clone());
        }
        self.leaving = match self.held {
            true => queue(self.session.client(), self.texts.unlock()),
            false => queue(self.session.client(), &self.texts.unlock_if_held()),
        };
        self.held = false;
        self.entry = None;
    }

    async fn settle(&mut self) -> Result<(), Error> {
        if self.leaving.is_none() {
            self.leaving = queue(self.session.client(), &self.texts.unlock_if_held());
        }
        if let Some(leaving) = &mut self.leaving {
            let unlocked = match self.session.own() {
                Some(session) => session.attend(pin!(read(leaving.as_mut()))).await,
                None => read(leaving.as_mut()).await,
            };
            self.leaving = None;
            unlocked.map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

impl<S: AsClient> RawUnlock for Advisory<S> {
    async fn unlock(&mut self) -> Result<bool, Error> {
        self.held = false;
        let answer = self.call(Call::Unlock).await;
        // After an error the session holds the key as before, unless it has ended.
        self.held = answer.is_err();
        let unlocked = answer?;
        self.entry = None;
        Ok(unlocked == Some(true))
    }
}

impl<S: AsClient> RawNew<S> for Advisory<S> {
    fn new(session: S, key: Key) -> Self {
        Self::of(session, key)
    }
}

impl<S: AsClient> RawIntoSession for Advisory<S> {
    type Owned = S;

    fn into_session(self) -> Option<S> {
        (!self.is_closed()).then_some(*self.session)
    }
}

impl<S: AsClient> RawShared for Advisory<S> {
    fn set_shared(&mut self) {
        self.mode = Mode::Shared;
        self.texts = Texts::new(self.key, Mode::Shared);
    }
}

impl<S: AsClient> RawCancel for Advisory<S> {
    type Canceller = Canceller;

    fn set_canceller(&mut self, canceller: &Canceller) {
        self.canceller = Some(canceller.clone());
    }
}

impl<S> fmt::Debug for Advisory<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advisory")
            .field("key", &self.key)
            .field("mode", &self.mode)
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}
