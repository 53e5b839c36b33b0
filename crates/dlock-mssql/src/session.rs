use crate::request::{Subject, discard};
use crate::{Error, Lock, Mssql};
use dlock_core::{BorrowedSession, End, Exclusive, OwnedSession, Session};
use futures::io::{AsyncRead, AsyncWrite};
use std::ops::DerefMut;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tiberius::Client;
use tiberius::error::Error as Native;

/// What a client speaks over: any stream that `tiberius` takes.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A session that a lock can be made over: an owned [`Client`], one that is lent, or a pool's object.
pub trait Place: Sized {
    /// What the client speaks over.
    type Stream: Stream;
    /// How the lock keeps the client.
    type Exclusive: Exclusive<Session: HasClient<Stream = Self::Stream>, Error = Native>;

    /// Hands it to a lock.
    fn hold(self, end: Ending) -> Self::Exclusive;
}

/// Owns a client: is one, or a pool's object.
pub trait HasClient: Sized + Send {
    /// What the client speaks over.
    type Stream: Stream;
    /// Whether to drop it gives the client to somebody else, and does not close it.
    const GIVEN_BACK: bool;

    /// The client.
    fn client(&mut self) -> &mut Client<Self::Stream>;

    /// Whether its connection is known to be over, between requests.
    fn is_ended(&self) -> bool {
        false
    }
}

/// An object of a pool, owned by a lock: it goes back to its pool with nothing held over it and no
/// answer pending, or in a state in which every use of it fails, so that the pool's own check discards
/// it. Where the stream under it does not let itself be put into such a state, which no stream of
/// `tokio`'s does, it never goes back.
///
/// ```no_run
/// # use dlock_db::mssql::{Lock, Pooled, Stream, tiberius::Client};
/// # use std::ops::DerefMut;
/// # async fn example<P, T>(object: P) -> Result<(), dlock_db::mssql::Error>
/// # where P: DerefMut<Target = Client<T>> + Send + 'static, T: Stream + 'static {
/// let guard = Lock::new(Pooled(object), "invoice:42")?.lock_owned().await?;
/// // … critical section …
/// let Pooled(object) = guard.release().await?.into_session().await?;
/// # drop(object);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Pooled<P>(pub P);

impl<T: Stream> HasClient for Client<T> {
    type Stream = T;
    const GIVEN_BACK: bool = false;

    fn client(&mut self) -> &mut Client<T> {
        self
    }
}

impl<P, T> HasClient for Pooled<P>
where
    P: DerefMut<Target = Client<T>> + Send,
    T: Stream,
{
    type Stream = T;
    const GIVEN_BACK: bool = true;

    fn client(&mut self) -> &mut Client<T> {
        &mut self.0
    }
}

impl<C: HasClient + 'static> Place for C {
    type Stream = C::Stream;
    type Exclusive = OwnedSession<C, Ending>;

    fn hold(self, end: Ending) -> Self::Exclusive {
        OwnedSession::new(self, end)
    }
}

impl<'a, T: Stream> Place for &'a mut Client<T> {
    type Stream = T;
    type Exclusive = BorrowedSession<'a, Client<T>, Native>;

    fn hold(self, _: Ending) -> Self::Exclusive {
        BorrowedSession::new(self)
    }
}

/// Ends a session by closing its connection. That frees what it holds, unless a statement of the
/// caller's still runs there: the server may look at the connection only after it.
#[derive(Clone, Debug)]
pub struct Ending(Weak<Subject>);

impl Ending {
    pub(crate) fn of(subject: &Arc<Subject>) -> Self {
        Self(Arc::downgrade(subject))
    }
}

impl<S: HasClient> End<S> for Ending {
    type Error = Native;

    /// A release waits behind a statement of the caller's, and only its answer proves that it was
    /// released: so exchanges go on for as long as the connection does.
    const PATIENCE: Duration = Duration::MAX;

    async fn end(&self, session: Option<S>) -> Result<(), Error> {
        if let Some(session) = session.filter(|_| S::GIVEN_BACK) {
            discard::<S, S>(session);
        }
        // With the lock gone there is nobody to be told.
        let Some(subject) = self.0.upgrade() else { return Ok(()) };
        let known = subject.known();
        let closing_frees = known.sent && !known.behind && !S::GIVEN_BACK;
        let is_free = known.holds_nothing() || closing_frees;
        is_free.then_some(()).ok_or(Error::Interrupted(None))
    }
}

impl<T: Stream + 'static> Session<Mssql> for Client<T> {
    type Lock = Lock<Self>;
}

impl<T: Stream> Session<Mssql> for &mut Client<T> {
    type Lock = Lock<Self>;
}

impl<P, T> Session<Mssql> for Pooled<P>
where
    P: DerefMut<Target = Client<T>> + Send + 'static,
    T: Stream + 'static,
{
    type Lock = Lock<Self>;
}
