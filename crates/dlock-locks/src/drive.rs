//! The task that owns a session.

use crate::Mode;
use crate::driver::{Driver, Session, SessionOptions};
use crate::input::Heard;
use crate::model::{Answer, Ask, Ending, Event, SessionId};
use dlock_core::{GRACE, within};
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// How long a session may take to open.
const OPENING: Duration = Duration::from_secs(10);

/// What a session is to do.
#[derive(Debug)]
pub(crate) enum Job<K> {
    Batch(Vec<Ask<K>>),
    Wait { key: K, mode: Mode, limit: Duration },
    Convert { key: K, from: Mode, to: Mode, limit: Duration },
    Raise { key: K, limit: Duration },
    Ping,
    End(Ending),
}

/// The answer, and the error that it was.
type Answered<D> = Answer<Arc<<D as Driver>::Error>>;

/// One session, from its opening to its end.
pub(crate) struct Drive<D: Driver> {
    pub(crate) id: SessionId,
    pub(crate) jobs: UnboundedReceiver<Job<D::Key>>,
    pub(crate) heard: UnboundedSender<Heard<D>>,
    /// What it ended with.
    pub(crate) error: Option<Arc<D::Error>>,
}

/// However it ends, in a panic of the driver's too, the engine is told.
impl<D: Driver> Drop for Drive<D> {
    fn drop(&mut self) {
        let error = self.error.take();
        self.tell(Heard::event(Event::Ended { session: self.id, error }));
    }
}

/// What comes next to a session.
enum Next<D: Driver> {
    Answered(Answered<D>),
    Job(Job<D::Key>),
    Over,
}

impl<D: Driver> Drive<D> {
    pub(crate) async fn run(mut self, driver: Arc<D>, options: SessionOptions) {
        self.error = match self.open(&driver, &options).await {
            Ok(session) => {
                self.tell(Heard::opened(self.id, &session));
                self.serve(session).await
            }
            Err(error) => error,
        };
    }

    fn tell(&self, heard: Heard<D>) {
        // An engine that is gone wants to hear nothing.
        let _ = self.heard.send(heard);
    }

    /// The only job that comes meanwhile is the end.
    async fn open(
        &mut self,
        driver: &D,
        options: &SessionOptions,
    ) -> Result<D::Session, Option<Arc<D::Error>>> {
        let mut opening = pin!(within(OPENING, driver.open(options)));
        let jobs = &mut self.jobs;
        let opened = poll_fn(|context| match jobs.poll_recv(context) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => opening.as_mut().poll(context),
        });
        match opened.await {
            Some(Ok(session)) => Ok(session),
            Some(Err(error)) => Err(Some(Arc::new(error))),
            None => Err(None),
        }
    }

    async fn serve(&mut self, session: D::Session) -> Option<Arc<D::Error>> {
        let error = self.work(&session).await;
        // What does not end in time ends with its lease.
        let _ = within(GRACE, session.end()).await;
        error
    }

    /// Does jobs until the session is over.
    async fn work(&mut self, session: &D::Session) -> Option<Arc<D::Error>> {
        let mut answers = FuturesOrdered::new();
        let mut ended = pin!(session.ended());
        loop {
            let next = poll_fn(|context| self.next(context, &mut answers, ended.as_mut()));
            match next.await {
                Next::Answered(answer) if session.is_ended() => return error_of::<D>(answer),
                Next::Answered(answer) => self.answered(answer),
                Next::Job(Job::End(Ending::AfterAnswers)) => {
                    while let Some(Some(answer)) = within(GRACE, answers.next()).await {
                        self.answered(answer);
                    }
                    return None;
                }
                Next::Job(Job::End(Ending::AtOnce)) | Next::Over => return None,
                Next::Job(job) => answers.push_back(perform::<D>(session, job)),
            }
        }
    }

    fn answered(&self, answer: Answered<D>) {
        self.tell(Heard::event(Event::Answered { session: self.id, answer }));
    }

    fn next<F: Future<Output = Answered<D>>>(
        &mut self,
        context: &mut Context<'_>,
        answers: &mut FuturesOrdered<F>,
        ended: Pin<&mut impl Future<Output = ()>>,
    ) -> Poll<Next<D>> {
        if let Poll::Ready(Some(answer)) = answers.poll_next_unpin(context) {
            return Poll::Ready(Next::Answered(answer));
        }
        if let Poll::Ready(job) = self.jobs.poll_recv(context) {
            return Poll::Ready(job.map_or(Next::Over, Next::Job));
        }
        ended.poll(context).map(|()| Next::Over)
    }
}

async fn perform<D: Driver>(session: &D::Session, job: Job<D::Key>) -> Answered<D> {
    match job {
        Job::Batch(asks) => Answer::Batch(session.run(&asks).await.map_err(Arc::new)),
        Job::Wait { key, mode, limit } => {
            Answer::Wait(session.wait(&key, mode, limit).await.map_err(Arc::new))
        }
        Job::Convert { key, from, to, limit } => {
            Answer::Convert(session.convert(&key, from, to, limit).await.map_err(Arc::new))
        }
        Job::Raise { key, limit } => {
            Answer::Raise(session.raise(&key, limit).await.map_err(Arc::new))
        }
        // A ping that fails on a session that lives says that it lives.
        Job::Ping | Job::End(_) => {
            let _ = session.ping().await;
            Answer::Pong
        }
    }
}

fn error_of<D: Driver>(answer: Answered<D>) -> Option<Arc<D::Error>> {
    match answer {
        Answer::Batch(answer) => answer.err(),
        Answer::Wait(answer) | Answer::Convert(answer) => answer.err(),
        Answer::Raise(answer) => answer.err(),
        Answer::Pong => None,
    }
}
