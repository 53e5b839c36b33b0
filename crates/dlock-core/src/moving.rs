use crate::{Error, Gone, Hold, Landed, Trip};
use std::error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a trip may go on when nobody waits for it any more, before the session is ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// An owned session that moves into each round trip, and comes back with the answer.
///
/// The trip is driven by the future that waits for it, and costs no task. When that future is dropped,
/// a task takes the trip over: it cancels, reads the answer to its end, lets go of what was granted,
/// and brings the session back. A trip that takes longer than a second after that is dropped, and the
/// session with it. Between trips the session sits here, to be lent.
pub struct Moving<S, E> {
    place: Place<S, E>,
    /// Tells the trip under way that nobody waits for its answer any more.
    gone: Gone,
    /// Where the last trip was made, for a task that begins in a `Drop` off the runtime.
    runtime: Option<Handle>,
}

enum Place<S, E> {
    Here(S),
    /// Driven by whoever waits for the answer.
    Away(Journey<S, E>),
    /// Nobody waits: driven by a task.
    Returning(oneshot::Receiver<Landed<S, E>>),
    Ended,
}

/// A trip with its session in it: in a mutex that is never locked, only so that a lock is `Sync` where
/// its session is.
type Journey<S, E> = Mutex<Pin<Box<dyn Future<Output = Landed<S, E>> + Send>>>;

impl<S, E> Moving<S, E> {
    /// Takes the session in.
    pub fn new(session: S) -> Self {
        Self { place: Place::Here(session), gone: Gone::new(), runtime: None }
    }

    /// Gives the session back, unless it is away or has ended.
    pub fn into_session(self) -> Option<S> {
        match self.place {
            Place::Here(session) => Some(session),
            Place::Away(_) | Place::Returning(_) | Place::Ended => None,
        }
    }

    /// Sends the session away. If it is not here it ends, and with it a trip that was never settled.
    fn depart<T: Trip<S, Error = E>>(&mut self, trip: T)
    where
        S: Send + 'static,
    {
        let Place::Here(session) = mem::replace(&mut self.place, Place::Ended) else {
            return;
        };
        self.runtime = Some(Handle::current());
        self.gone.reset();
        let journey = Box::pin(trip.run(session, self.gone.twin()));
        self.place = Place::Away(Mutex::new(journey));
    }

    /// Puts the session in its place when it comes back.
    fn poll_arrival(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, Box<Error<E>>>> {
        let (session, answer) = match &mut self.place {
            Place::Away(journey) => {
                let trip = journey.get_mut().unwrap_or_else(PoisonError::into_inner);
                ready!(trip.as_mut().poll(context))
            }
            Place::Returning(back) => {
                ready!(Pin::new(back).poll(context)).unwrap_or((None, Err(Error::Closed.into())))
            }
            Place::Here(_) | Place::Ended => return Poll::Ready(Err(Error::Closed.into())),
        };
        self.place = session.map_or(Place::Ended, Place::Here);
        Poll::Ready(answer)
    }
}

impl<S, E> Hold for Moving<S, E>
where
    S: Send + 'static,
    E: error::Error + Send + Sync + 'static,
{
    type Session = S;
    type Error = E;

    fn session(&mut self) -> Option<&mut S> {
        match &mut self.place {
            Place::Here(session) => Some(session),
            Place::Away(_) | Place::Returning(_) | Place::Ended => None,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.place, Place::Ended)
    }

    fn run<T>(&mut self, trip: T) -> impl Future<Output = Result<bool, Error<E>>> + Send
    where
        T: Trip<S, Error = E>,
    {
        let mut trip = Some(trip);
        poll_fn(move |context| {
            if let Some(trip) = trip.take() {
                self.depart(trip);
            }
            self.poll_arrival(context).map_err(|error| *error)
        })
    }

    fn abandon<T: Trip<S, Error = E>>(&mut self, release: T) {
        let place = mem::replace(&mut self.place, Place::Ended);
        let (Some(runtime), false) = (&self.runtime, matches!(place, Place::Ended)) else {
            return;
        };
        self.gone.fire();
        let (deliver, back) = oneshot::channel();
        self.place = Place::Returning(back);
        runtime.spawn(async move {
            // With the lock gone too, a session that comes back is dropped here, and ends.
            drop(deliver.send(let_go(place, release).await));
        });
    }

    async fn settle(&mut self) {
        if matches!(self.place, Place::Away(_) | Place::Returning(_)) {
            // The answer says whether there was something to release: either way it is let go now.
            drop(poll_fn(|context| self.poll_arrival(context)).await);
        }
    }
}

/// Waits for the trip under way, which was told to end, then releases what it may have brought.
async fn let_go<S, T>(place: Place<S, T::Error>, release: T) -> Landed<S, T::Error>
where
    S: Send + 'static,
    T: Trip<S>,
{
    let Some(session) = returned(place).await else {
        return (None, Err(Error::Closed.into()));
    };
    match timeout(PATIENCE, release.run(session, Gone::never())).await {
        Ok((session, Ok(released))) => (session, Ok(released)),
        // Whatever it was: only the end of the session makes sure that nothing is held.
        Ok((_, Err(error))) => (None, Err(error)),
        Err(_overdue) => (None, Err(Error::Interrupted(None).into())),
    }
}

/// The session, once it is back. A trip that is overdue is dropped with it.
async fn returned<S, E>(place: Place<S, E>) -> Option<S> {
    match place {
        Place::Here(session) => Some(session),
        Place::Away(journey) => {
            let trip = journey.into_inner().unwrap_or_else(PoisonError::into_inner);
            timeout(PATIENCE, trip).await.ok()?.0
        }
        Place::Returning(back) => back.await.ok()?.0,
        Place::Ended => None,
    }
}

impl<S, E> fmt::Debug for Moving<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Here(_) => "Moving(here)",
            Place::Away(_) | Place::Returning(_) => "Moving(away)",
            Place::Ended => "Moving(ended)",
        })
    }
}
