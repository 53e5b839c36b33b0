use crate::answer::{code, released};
use crate::request::{InFlight, Subject};
use crate::session::HasClient;
use crate::statement::{RELEASE, RELEASE_ANYWHERE, RELEASE_DOUBTFUL};
use dlock_core::{Cancelled, Exchange, Returned};
use std::borrow::BorrowMut;
use tiberius::error::Error as Native;

/// The round trip that releases what was granted, as often as it was.
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) subject: Subject,
    /// Nobody may be there to ask again, where the session is in another database now.
    pub(crate) at_once: bool,
}

impl<S: HasClient> Exchange<S> for Release {
    type Error = Native;

    const RELEASES: bool = true;

    async fn run<P>(self, place: P, _: Cancelled) -> Returned<P, Native>
    where
        P: BorrowMut<S> + Send,
    {
        let mut call = InFlight::new(place, self.subject.clone(), false);
        match self.ask(&mut call).await.map(|(code, _)| released(code)) {
            Ok(answer) => {
                if answer.is_ok() {
                    self.subject.change(|known| (known.grants, known.asked) = (0, false));
                }
                call.answered(answer)
            }
            Err(error) => call.failed(error),
        }
    }
}

impl Release {
    async fn ask<S, P>(&self, call: &mut InFlight<S, P>) -> Result<(i32, i32), Native>
    where
        S: HasClient,
        P: BorrowMut<S>,
    {
        let known = self.subject.known();
        if known.asked {
            return call.ask(RELEASE_DOUBTFUL, &[]).await;
        }
        let mut answer = (code::ELSEWHERE, known.database);
        if known.grants == 0 {
            answer.0 = code::GRANTED;
        } else if known.grants == 1 && !self.at_once {
            answer = call.ask(RELEASE, &[&known.database]).await?;
        }
        if answer.0 == code::ELSEWHERE {
            answer = call.ask(RELEASE_ANYWHERE, &[&known.database, &known.grants]).await?;
        }
        Ok(answer)
    }
}
