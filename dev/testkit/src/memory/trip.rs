use super::{Ended, Error, Mode, Session};
use dlock_core::{Cancelled, Exchange, Reply, Returned, Wait};
use std::borrow::BorrowMut;
use tokio::task::yield_now;

/// Asks for a key. When nobody waits for the answer any more, it leaves the queue.
pub(super) struct Acquire {
    pub(super) key: String,
    pub(super) mode: Mode,
    pub(super) wait: Wait,
}

impl Exchange<Session> for Acquire {
    type Error = Ended;

    async fn run<P>(self, mut place: P, cancelled: Cancelled) -> Returned<P, Ended>
    where
        P: BorrowMut<Session> + Send,
    {
        let session = place.borrow_mut();
        if session.is_out_of_step() {
            return out_of_step().with(place);
        }
        yield_now().await;
        let answer = tokio::select! {
            biased;
            answer = session.acquire(&self.key, self.mode, self.wait) => answer,
            // What was granted at the last moment is for the release that follows.
            () = cancelled.cancelled() => Ok(false),
        };
        arrived(session, answer).await.with(place)
    }
}

/// Lets go of a key.
pub(super) struct Release {
    pub(super) key: String,
}

impl Exchange<Session> for Release {
    type Error = Ended;

    const RELEASES: bool = true;

    async fn run<P>(self, mut place: P, _gone: Cancelled) -> Returned<P, Ended>
    where
        P: BorrowMut<Session> + Send,
    {
        let session = place.borrow_mut();
        if session.is_out_of_step() {
            return out_of_step().with(place);
        }
        yield_now().await;
        let answer = session.release(&self.key).map_err(Error::Driver);
        arrived(session, answer).await.with(place)
    }
}

async fn arrived(session: &Session, answer: Result<bool, Error>) -> Reply<Ended> {
    yield_now().await;
    Reply { answer: answer.map_err(Box::new), usable: !session.is_ended() }
}

/// A statement of the caller's was dropped: its answer would be taken for ours.
fn out_of_step() -> Reply<Ended> {
    Reply { answer: Err(Error::Closed.into()), usable: false }
}
