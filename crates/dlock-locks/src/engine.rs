//! The thread of a [`Locks`](crate::Locks): the model, and what it is told and wants done.

pub(crate) mod meter;
pub(crate) mod progress;

use crate::LostReason;
use crate::clock::Clock;
use crate::drive::Job;
use crate::driver::{Driver, SessionOptions};
use crate::hold::{Hold, Trust};
use crate::input::{Asking, Heard, Input, Refused};
use crate::model::{Event, Model, Moment, RequestId, SessionId, Settings};
use crate::sync::thread;
use dlock_core::sleep;
use meter::{Levels, Meter};
use progress::{Look, Progress};
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tracing::warn;

/// How many inputs are taken in before anything is done about them.
const TAKEN: usize = 1024;
/// How often the clock is looked at while something is held: timers stand still while the machine sleeps.
const LOOKS: Duration = Duration::from_millis(500);

/// A session, as the engine reaches it.
pub(crate) struct Line<K> {
    pub(crate) jobs: UnboundedSender<Job<K>>,
    pub(crate) trust: Arc<Trust>,
    pub(crate) has_lease: bool,
    pub(crate) is_open: bool,
    /// Whether it ends because it is not needed.
    pub(crate) is_ending: bool,
}

/// Who waits for a session.
type Opener<D> = oneshot::Sender<Result<(), Option<Arc<<D as Driver>::Error>>>>;

/// A timer that is set.
type Timer = Pin<Box<dyn Future<Output = ()>>>;

/// What an engine is started with.
pub(crate) struct Plan<D: Driver> {
    pub(crate) driver: Arc<D>,
    pub(crate) settings: Settings,
    pub(crate) options: SessionOptions,
    pub(crate) clock: Clock,
    pub(crate) meter: Arc<Meter>,
    pub(crate) progress: Option<Look<D>>,
}

/// What runs on the thread.
pub(crate) struct Engine<D: Driver> {
    pub(crate) driver: Arc<D>,
    pub(crate) options: SessionOptions,
    pub(crate) trusted: Duration,
    pub(crate) clock: Clock,
    pub(crate) model: Model<D::Key, Arc<D::Error>>,
    pub(crate) heard: UnboundedSender<Heard<D>>,
    pub(crate) lines: HashMap<SessionId, Line<D::Key>>,
    pub(crate) requests: HashMap<RequestId, Asking<D>>,
    pub(crate) holds: HashMap<RequestId, Arc<Hold>>,
    pub(crate) conversions: HashMap<RequestId, oneshot::Sender<Result<bool, Refused<D>>>>,
    pub(crate) releases: HashMap<RequestId, oneshot::Sender<Result<(), LostReason>>>,
    /// Who waits for a session to be open.
    pub(crate) openers: Vec<Opener<D>>,
    pub(crate) closers: Vec<oneshot::Sender<()>>,
    pub(crate) is_closed: bool,
    pub(crate) meter: Arc<Meter>,
    pub(crate) progress: Option<Progress<D>>,
    /// How many sessions have ended unasked, in whose place none was opened.
    missing: usize,
    timer: Option<(Moment, Timer)>,
}

/// Starts the thread. It ends when everybody who could tell it anything is gone, and all is let go.
pub(crate) fn start<D: Driver>(plan: Plan<D>) -> std::io::Result<UnboundedSender<Input<D>>> {
    let (sender, inputs) = unbounded_channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    // The name of a thread cannot have that.
    let name = format!("dlock {}", plan.options.name.replace('\0', ""));
    thread::Builder::new().name(name).spawn(move || {
        let (heard, events) = unbounded_channel();
        let engine = Engine::new(plan, heard);
        LocalSet::new().block_on(&runtime, engine.run(inputs, events));
    })?;
    Ok(sender)
}

impl<D: Driver> Engine<D> {
    fn new(plan: Plan<D>, heard: UnboundedSender<Heard<D>>) -> Self {
        let Plan { driver, settings, options, clock, meter, progress } = plan;
        Self {
            driver,
            options,
            trusted: settings.trust(),
            clock,
            model: Model::new(settings, D::turnstile, fastrand::u64(..)),
            heard,
            lines: HashMap::new(),
            requests: HashMap::new(),
            holds: HashMap::new(),
            conversions: HashMap::new(),
            releases: HashMap::new(),
            openers: Vec::new(),
            closers: Vec::new(),
            is_closed: false,
            meter,
            progress: progress.map(Progress::new),
            missing: 0,
            timer: None,
        }
    }

    async fn run(
        mut self,
        mut inputs: UnboundedReceiver<Input<D>>,
        mut events: UnboundedReceiver<Heard<D>>,
    ) {
        let mut is_needed = true;
        while is_needed || !self.is_closed {
            is_needed &= self.take_in(&mut inputs, &mut events, is_needed).await;
            if !is_needed && !self.is_closed {
                self.model.handle(self.clock.now(), Event::Closed);
            }
            let now = self.clock.now();
            for action in self.model.act(now) {
                self.perform(action);
            }
            self.tell_progress(now);
            self.set_levels();
        }
    }

    /// Waits for something to do. `false`: nobody can ask for anything any more.
    async fn take_in(
        &mut self,
        inputs: &mut UnboundedReceiver<Input<D>>,
        events: &mut UnboundedReceiver<Heard<D>>,
        is_needed: bool,
    ) -> bool {
        let (mut told, mut heard) = (Vec::new(), Vec::new());
        let over = poll_fn(|context| {
            let events = events.poll_recv_many(context, &mut heard, TAKEN).is_ready();
            match is_needed.then(|| inputs.poll_recv_many(context, &mut told, TAKEN)) {
                Some(Poll::Ready(count)) => Poll::Ready(count == 0),
                _ if events => Poll::Ready(false),
                _ => self.rings(context).map(|()| false),
            }
        });
        let is_over = over.await;
        let now = self.clock.now();
        heard.into_iter().for_each(|heard| self.hear(now, heard));
        told.into_iter().for_each(|input| self.told(now, input));
        !is_over
    }

    /// Ready when the model has something to do. A timer that is set too early is set anew.
    fn rings(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let looks = (!self.holds.is_empty()).then(|| self.clock.now() + LOOKS);
        let told = self.progress.as_ref().filter(|_| !self.requests.is_empty());
        let told = told.map(Progress::next);
        let Some(alarm) = self.model.alarm().into_iter().chain(looks).chain(told).min() else {
            return Poll::Pending;
        };
        loop {
            let now = self.clock.now();
            if alarm <= now {
                return Poll::Ready(());
            }
            if self.timer.as_ref().is_none_or(|(due, _)| *due > alarm) {
                self.timer = Some((alarm, Box::pin(sleep(alarm - now))));
            }
            let Some((_, timer)) = &mut self.timer else { return Poll::Pending };
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.timer = None;
        }
    }

    fn hear(&mut self, now: Moment, heard: Heard<D>) {
        match &heard.event {
            Event::Opened { session, .. } => self.opened(*session, heard.has_lease),
            Event::Ended { session, error } => self.ended(*session, error.as_deref()),
            _ => {}
        }
        self.tell_openers(&heard.event);
        self.model.handle(now, heard.event);
    }

    fn opened(&mut self, session: SessionId, has_lease: bool) {
        let Some(line) = self.lines.get_mut(&session) else { return };
        (line.is_open, line.has_lease) = (true, has_lease);
        if self.missing > 0 {
            self.missing -= 1;
            self.meter.reconnected();
        }
    }

    fn ended(&mut self, session: SessionId, error: Option<&D::Error>) {
        match self.lines.remove(&session) {
            Some(Line { is_ending: false, is_open: true, .. }) => self.missing += 1,
            Some(Line { is_ending: false, .. }) => self.meter.not_connected(),
            _ => {}
        }
        if let Some(error) = error {
            warn!(db.system.name = D::SYSTEM, %error, "a session of locks has ended");
        }
    }

    fn set_levels(&self) {
        self.meter.set_levels(|| {
            let (serving, waiting) = self.model.open_sessions();
            Levels { held: self.holds.len(), serving, waiting }
        });
    }

    /// Who waits for a session is told of the first that is open, or could not be opened.
    fn tell_openers(&mut self, event: &Event<D::Key, Arc<D::Error>>) {
        let opened = match event {
            Event::Opened { .. } => Ok(()),
            Event::Ended { error, .. } => Err(error.clone()),
            _ => return,
        };
        for opener in self.openers.drain(..) {
            // Who has gone away need not know.
            let _ = opener.send(opened.clone());
        }
    }
}

/// What is left when the thread ends is lost: nobody looks after its sessions any more.
impl<D: Driver> Drop for Engine<D> {
    fn drop(&mut self) {
        self.holds.drain().for_each(|(_, hold)| hold.lose(LostReason::SessionEnded));
        self.meter.set_levels(Levels::default);
    }
}
