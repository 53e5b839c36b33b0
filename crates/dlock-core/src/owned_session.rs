use crate::timer::{sleep, within};
use crate::{Cancelled, End, Error, Exchange, Exclusive, Returned};
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::coop::unconstrained;

/// How soon ending a session is tried again, at first and at last.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// An owned session that moves into each exchange, and comes back with the answer.
///
/// The exchange is driven by the future that waits for it, and costs no task. When that future is
/// dropped, a task takes the exchange over: it cancels, reads the answer to its end, lets go of what
/// was granted, and brings the session back. What cannot be let go of that way is ended
/// ([`End`]). Between exchanges the session sits here, to be lent.
pub struct OwnedSession<S, K: End<S>> {
    place: Place<S, K::Error>,
    end: K,
    /// Tells the exchange in flight that nobody waits for its answer any more.
    cancelled: Cancelled,
    /// Where the last exchange was made, for a task that begins in a `Drop` off the runtime.
    runtime: Option<Handle>,
}

enum Place<S, E> {
    Here(S),
    /// Driven by whoever waits for the answer.
    InFlight(InFlight<S, E>, Kind),
    /// Nobody waits: driven by a task.
    Returning(oneshot::Receiver<Returned<S, E>>),
    /// Not to be used again; whether the server has let go is not known.
    Broken,
    /// The server has let go.
    Ended,
}

/// What an exchange is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Acquires,
    Releases,
}

/// An exchange with its session in it: in a mutex that is never locked, only so that a lock is `Sync`
/// where its session is.
type InFlight<S, E> = Mutex<Pin<Box<dyn Future<Output = Returned<S, E>> + Send>>>;

impl<S, K: End<S>> OwnedSession<S, K> {
    /// Takes the session in, and what ends it.
    pub fn new(session: S, end: K) -> Self {
        Self { place: Place::Here(session), end, cancelled: Cancelled::new(), runtime: None }
    }

    /// Gives the session back, unless it is away or has ended.
    pub fn into_session(self) -> Option<S> {
        match self.place {
            Place::Here(session) => Some(session),
            _ => None,
        }
    }

    /// Ends the session and whatever runs on it, and answers once the server has let go.
    ///
    /// # Errors
    /// Where that could not be had; it may be tried again.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn end(&mut self) -> Result<(), Error<K::Error>> {
        let session = match mem::replace(&mut self.place, Place::Broken) {
            Place::Here(session) => Some(session),
            Place::Ended => {
                self.place = Place::Ended;
                return Ok(());
            }
            _ => None,
        };
        self.end.end(session).await?;
        self.place = Place::Ended;
        Ok(())
    }

    /// Sends the session away with an exchange, where it is here.
    fn depart<T>(&mut self, exchange: T) -> Result<(), Box<Error<K::Error>>>
    where
        S: Send + 'static,
        T: Exchange<S, Error = K::Error>,
    {
        let runtime = Handle::try_current().map_err(|_| off_the_runtime())?;
        match mem::replace(&mut self.place, Place::Broken) {
            Place::Here(session) => {
                self.cancelled.reset();
                let exchange = Box::pin(exchange.run(session, self.cancelled.share()));
                let kind = if T::RELEASES { Kind::Releases } else { Kind::Acquires };
                self.place = Place::InFlight(Mutex::new(exchange), kind);
                self.runtime = Some(runtime);
                Ok(())
            }
            other => {
                self.place = other;
                Err(Error::Closed.into())
            }
        }
    }

    /// Puts the session in its place when it comes back.
    fn poll_return(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, Box<Error<K::Error>>>> {
        let (session, answer) = match &mut self.place {
            Place::InFlight(exchange, _) => {
                let exchange = exchange.get_mut().unwrap_or_else(PoisonError::into_inner);
                ready!(exchange.as_mut().poll(context))
            }
            Place::Returning(back) => match ready!(Pin::new(back).poll(context)) {
                Ok((None, answer)) => {
                    self.place = Place::Ended;
                    return Poll::Ready(answer);
                }
                Ok(returned) => returned,
                // The task went down with its runtime.
                Err(_) => (None, Err(Error::Closed.into())),
            },
            Place::Here(_) | Place::Broken | Place::Ended => {
                return Poll::Ready(Err(Error::Closed.into()));
            }
        };
        self.place = session.map_or(Place::Broken, Place::Here);
        Poll::Ready(answer)
    }
}

fn off_the_runtime<E>() -> Box<Error<E>> {
    let advice = "call this inside a tokio runtime; the session was not touched";
    Box::new(Error::Setup { advice, source: None })
}

impl<S, K> Exclusive for OwnedSession<S, K>
where
    S: Send + 'static,
    K: End<S>,
{
    type Session = S;
    type Error = K::Error;

    fn session(&mut self) -> Option<&mut S> {
        match &mut self.place {
            Place::Here(session) => Some(session),
            _ => None,
        }
    }

    fn peek(&self) -> Option<&S> {
        match &self.place {
            Place::Here(session) => Some(session),
            _ => None,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.place, Place::Broken | Place::Ended)
    }

    fn run<T>(&mut self, exchange: T) -> impl Future<Output = Result<bool, Error<K::Error>>> + Send
    where
        T: Exchange<S, Error = K::Error>,
    {
        let mut exchange = Some(exchange);
        poll_fn(move |context| {
            if let Some(exchange) = exchange.take() {
                self.depart(exchange).map_err(|error| *error)?;
            }
            self.poll_return(context).map_err(|error| *error)
        })
    }

    fn abandon<T: Exchange<S, Error = K::Error>>(&mut self, release: T) {
        let (Some(runtime), false) = (&self.runtime, self.is_closed()) else { return };
        let place = mem::replace(&mut self.place, Place::Broken);
        self.cancelled.cancel();
        let mut letting_go = Box::pin(let_go(place, release, self.end.clone()));
        // At once, whatever is left of the task's budget: nobody may drive the runtime any more.
        let polled = {
            let _inside = runtime.enter();
            let mut context = Context::from_waker(Waker::noop());
            Pin::new(&mut unconstrained(letting_go.as_mut())).poll(&mut context)
        };
        let (deliver, back) = oneshot::channel();
        self.place = Place::Returning(back);
        match polled {
            Poll::Ready(returned) => drop(deliver.send(returned)),
            // With the lock dropped too, a session that comes back is dropped there, and ends.
            Poll::Pending => {
                runtime.spawn(async move { drop(deliver.send(letting_go.await)) });
            }
        }
    }

    async fn settle(&mut self) -> Result<(), Error<K::Error>> {
        if matches!(self.place, Place::InFlight(..) | Place::Returning(_)) {
            // The answer says whether there was something to release: either way it is let go now.
            drop(poll_fn(|context| self.poll_return(context)).await);
        }
        match self.place {
            Place::Broken => self.end().await,
            _ => Ok(()),
        }
    }
}

/// Waits for the exchange in flight, which was cancelled, then releases what it may have brought. What
/// cannot be released, though it was held, is taken from the server by the end of the session.
async fn let_go<S, T, K>(place: Place<S, T::Error>, release: T, end: K) -> Returned<S, T::Error>
where
    S: Send + 'static,
    T: Exchange<S>,
    K: End<S, Error = T::Error>,
{
    let (mut session, held) = match returned::<S, K>(place).await {
        (session, Held::No) if session.is_some() => return (session, Ok(true)),
        returned => returned,
    };
    if let Some(whole) = session.take() {
        session = match within(K::PATIENCE, release.run(whole, Cancelled::never())).await {
            Some((Some(session), Ok(released))) if released || held == Held::Perhaps => {
                return (Some(session), Ok(released));
            }
            Some((session, _)) => session,
            None => None,
        };
    }
    has_ended(session, end).await;
    (None, Err(Error::Closed.into()))
}

/// Ends the session, however often that has to be tried.
async fn has_ended<S, K: End<S>>(mut session: Option<S>, end: K) {
    let mut pause = AGAIN.0;
    while end.end(session.take()).await.is_err() {
        sleep(pause).await;
        pause = AGAIN.1.min(pause * 2);
    }
}

/// Whether a session holds the key, as its last answer says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    Perhaps,
    No,
}

/// The session, once it is back. An exchange that is overdue is dropped with it.
async fn returned<S, K: End<S>>(place: Place<S, K::Error>) -> (Option<S>, Held) {
    match place {
        Place::Here(session) => (Some(session), Held::Yes),
        Place::InFlight(exchange, kind) => {
            let exchange = exchange.into_inner().unwrap_or_else(PoisonError::into_inner);
            match (within(K::PATIENCE, exchange).await, kind) {
                (Some((session, Ok(true))), Kind::Releases) => (session, Held::No),
                (Some((session, Ok(true))), Kind::Acquires) => (session, Held::Yes),
                (Some((session, _)), _) => (session, Held::Perhaps),
                (None, _) => (None, Held::Perhaps),
            }
        }
        Place::Returning(back) => (back.await.ok().and_then(|(session, _)| session), Held::No),
        Place::Broken | Place::Ended => (None, Held::Perhaps),
    }
}

impl<S, K: End<S>> fmt::Debug for OwnedSession<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Here(_) => "OwnedSession(here)",
            Place::InFlight(..) | Place::Returning(_) => "OwnedSession(in flight)",
            Place::Broken => "OwnedSession(broken)",
            Place::Ended => "OwnedSession(ended)",
        })
    }
}
