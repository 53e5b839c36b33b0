use crate::{Error, Gone, Hold, Trip};
use std::error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::Poll;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

/// An owned session that moves into a task for each round trip, and comes back with the answer.
///
/// A dropped future is then only a dropped receiver: the task reads its answer to the end, lets go of
/// what was granted, and brings the session back. Between trips the session sits here, to be lent.
pub struct Moving<S, E> {
    place: Place<S, E>,
    /// Where the last trip was made, for one that begins in a `Drop` off the runtime.
    runtime: Option<Handle>,
}

enum Place<S, E> {
    Here(S),
    Away { back: oneshot::Receiver<Landed<S, E>>, signal: Option<watch::Sender<()>> },
    Ended,
}

/// The session, if it can be used again, and the answer.
type Landed<S, E> = (Option<S>, Result<bool, Error<E>>);

impl<S, E> Moving<S, E> {
    /// Takes the session in.
    pub fn new(session: S) -> Self {
        Self { place: Place::Here(session), runtime: None }
    }

    /// Gives the session back, unless it is away or has ended.
    pub fn into_session(self) -> Option<S> {
        match self.place {
            Place::Here(session) => Some(session),
            Place::Away { .. } | Place::Ended => None,
        }
    }
}

impl<S, E> Moving<S, E>
where
    S: Send + 'static,
    E: error::Error + Send + Sync + 'static,
{
    /// Waits for the session to come back, and puts it in its place. May be dropped and called again.
    async fn arrive(&mut self) -> Result<bool, Error<E>> {
        let Place::Away { back, .. } = &mut self.place else {
            return Err(Error::Closed);
        };
        let (session, answer) = back.await.unwrap_or((None, Err(Error::Closed)));
        self.place = session.map_or(Place::Ended, Place::Here);
        answer
    }

    /// Sends a task on its way, which brings the session back.
    fn depart(
        &mut self,
        signal: Option<watch::Sender<()>>,
        journey: impl Future<Output = Landed<S, E>> + Send + 'static,
    ) {
        let (deliver, back) = oneshot::channel();
        self.place = Place::Away { back, signal };
        let task = async move {
            // With the lock gone too, a session that comes back is dropped here, and ends.
            drop(deliver.send(journey.await));
        };
        if let Some(runtime) = &self.runtime {
            runtime.spawn(task);
        }
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
            Place::Away { .. } | Place::Ended => None,
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.place, Place::Ended)
    }

    async fn run<T: Trip<S, Error = E>>(&mut self, trip: T) -> Result<bool, Error<E>> {
        let Place::Here(session) = mem::replace(&mut self.place, Place::Ended) else {
            return Err(Error::Closed);
        };
        let (signal, gone) = Gone::pair();
        self.runtime = Some(Handle::current());
        self.depart(Some(signal), travel(session, trip, gone.clone(), gone));
        self.arrive().await
    }

    fn abandon<T: Trip<S, Error = E>>(&mut self, release: T) {
        let place = mem::replace(&mut self.place, Place::Ended);
        if matches!(place, Place::Ended) {
            return;
        }
        self.depart(None, async move {
            let Some(session) = recall(place).await else {
                return (None, Err(Error::Closed));
            };
            let (_, fired) = Gone::pair();
            match travel(session, release, Gone::never(), fired).await {
                // Whatever it was: only the end of the session makes sure that nothing is held.
                (_, Err(error)) => (None, Err(error)),
                released => released,
            }
        });
    }

    async fn settle(&mut self) {
        if matches!(self.place, Place::Away { .. }) {
            // The answer says whether there was something to release: either way it is let go now.
            drop(self.arrive().await);
        }
    }
}

/// Makes the trip. When `late` has fired and it is overdue, it is dropped with its session.
async fn travel<S, T: Trip<S>>(
    mut session: S,
    trip: T,
    gone: Gone,
    mut late: Gone,
) -> Landed<S, T::Error> {
    let overdue = async move {
        late.fired().await;
        tokio::time::sleep(T::PATIENCE).await;
    };
    match first(trip.run(&mut session, gone), overdue).await {
        Some(outcome) => (outcome.usable.then_some(session), outcome.answer),
        None => (None, Err(Error::Interrupted(None))),
    }
}

/// Ends the trip under way, and waits until it brings the session.
async fn recall<S, E>(place: Place<S, E>) -> Option<S> {
    match place {
        Place::Here(session) => Some(session),
        Place::Away { back, signal } => {
            drop(signal);
            back.await.ok().and_then(|(session, _)| session)
        }
        Place::Ended => None,
    }
}

/// The output of `one`, unless `other` completes before.
async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    let mut one = pin!(one);
    let mut other = pin!(other);
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => other.as_mut().poll(context).map(|()| None),
    })
    .await
}

impl<S, E> fmt::Debug for Moving<S, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.place {
            Place::Here(_) => "Moving(here)",
            Place::Away { .. } => "Moving(away)",
            Place::Ended => "Moving(ended)",
        })
    }
}
