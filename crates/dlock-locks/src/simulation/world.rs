use super::figures::Figures;
use super::process::Process;
use super::server::Server;
use super::task::{Task, Work};
use crate::Mode;
use crate::model::{
    Action, Answer, Ask, Asked, Event, Need, Patience, Refusal, RequestId, SessionId, Settings,
};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// A session as the server knows it: of which process, and which of its sessions.
pub(crate) type Link = (usize, SessionId);

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) processes: usize,
    /// The work of each kind of task, and how many there are in each process.
    pub(crate) tasks: Vec<(Work, Vec<usize>)>,
    pub(crate) settings: Settings,
    /// How long a message and its answer take.
    pub(crate) round_trip: Duration,
    pub(crate) seed: u64,
    /// A session is killed so often, one drawn from all.
    pub(crate) kills: Option<Duration>,
    /// The network of a session is cut so often.
    pub(crate) cuts: Option<Duration>,
    /// One batch in so many is interrupted after half of it.
    pub(crate) interrupts: Option<u32>,
    /// The server takes so many sessions.
    pub(crate) max_connections: usize,
    /// Nothing new is begun after this.
    pub(crate) limit: Duration,
}

impl Plan {
    pub(crate) fn new(processes: usize, tasks: Vec<(Work, Vec<usize>)>) -> Self {
        Self {
            processes,
            tasks,
            settings: Settings::default(),
            round_trip: Duration::from_micros(400),
            seed: 1,
            kills: None,
            cuts: None,
            interrupts: None,
            max_connections: usize::MAX,
            limit: Duration::from_secs(1000),
        }
    }
}

#[derive(Debug)]
enum Happening {
    Begin(usize),
    Finish(usize, RequestId),
    GiveUp(usize, RequestId),
    Alarm(usize),
    Arrives(Link, Message),
    /// A wait of this number has come to its limit.
    Limit(Link, u32, u64),
    Answered(Link, Event<u32, String>),
    Kill,
    Cut,
    /// The server looks for sessions that were silent for too long.
    Look,
}

#[derive(Debug)]
enum Message {
    Open,
    Batch(Vec<Ask<u32>>),
    Wait(u32, Mode, Duration),
    Ping,
    End,
}

/// Processes, their tasks, and a server.
#[derive(Debug)]
pub(crate) struct World {
    plan: Plan,
    rng: fastrand::Rng,
    pub(crate) now: Duration,
    agenda: BTreeMap<(Duration, u64), Happening>,
    number: u64,
    pub(crate) server: Server,
    processes: Vec<Process>,
    tasks: Vec<Task>,
    waits: BTreeMap<Link, u64>,
    busy: usize,
    figures: Figures,
    /// Who asked for a key in a process, in that order, and was not answered.
    queues: HashMap<(usize, u32), VecDeque<RequestId>>,
}

impl World {
    /// Runs a plan to its end.
    pub(crate) fn run(plan: Plan) -> Figures {
        let mut world = Self::new(plan);
        while let Some((at, happening)) = world.agenda.pop_first() {
            world.now = at.0;
            world.happens(happening);
            if world.plan.cuts.is_some() || world.number.is_multiple_of(256) {
                world.check();
            }
            if world.busy == 0 {
                break;
            }
        }
        assert_eq!(world.busy, 0, "{} tasks hang: {world:#?}", world.busy);
        world.figures.end = world.now;
        world.close();
        world.figures
    }

    fn new(plan: Plan) -> Self {
        let mut rng = fastrand::Rng::with_seed(plan.seed);
        let processes =
            (0..plan.processes).map(|_| Process::new(plan.settings.clone(), rng.u64(..)));
        let mut world = Self {
            processes: processes.collect(),
            rng,
            now: Duration::ZERO,
            agenda: BTreeMap::new(),
            number: 0,
            server: Server::default(),
            tasks: Vec::new(),
            waits: BTreeMap::new(),
            busy: 0,
            figures: Figures::default(),
            queues: HashMap::new(),
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for (kind, (work, counts)) in self.plan.tasks.clone().into_iter().enumerate() {
            self.figures.served.push(0);
            for (process, count) in counts.into_iter().enumerate() {
                (0..count).for_each(|_| self.add_task(process, kind, work.clone()));
            }
        }
        let faults = [(self.plan.kills, Happening::Kill), (self.plan.cuts, Happening::Cut)];
        for (every, fault) in faults {
            if let Some(every) = every {
                self.after(every, fault);
            }
        }
        self.after(Duration::from_millis(10), Happening::Look);
    }

    fn add_task(&mut self, process: usize, kind: usize, work: Work) {
        let left = work.rounds;
        let asked = Duration::ZERO;
        self.tasks.push(Task { process, kind, work, left, asked, key: 0 });
        self.busy += 1;
        let start = Duration::from_micros(self.rng.u64(..10_000));
        self.after(start, Happening::Begin(self.tasks.len() - 1));
    }

    fn after(&mut self, delay: Duration, happening: Happening) {
        self.number += 1;
        self.agenda.insert((self.now + delay, self.number), happening);
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Begin(task) => self.ask(task),
            Happening::Finish(task, request) => self.finish(task, request),
            Happening::GiveUp(task, request) => self.give_up(task, request),
            Happening::Alarm(process) => {
                if self.processes[process].alarm == Some(self.now) {
                    self.act(process);
                }
            }
            Happening::Arrives(link, message) => self.arrives(link, message),
            Happening::Limit(link, key, number) => self.limit(link, key, number),
            Happening::Answered((process, _), event) => self.tell(process, event),
            Happening::Kill => self.kill(),
            Happening::Cut => self.cut(),
            Happening::Look => self.look(),
        }
    }

    fn tell(&mut self, process: usize, event: Event<u32, String>) {
        let now = self.now;
        self.processes[process].model.handle(now, event);
        self.act(process);
    }

    fn act(&mut self, process: usize) {
        let now = self.now;
        self.processes[process].alarm = None;
        for action in self.processes[process].model.act(now) {
            self.perform(process, action);
        }
        let alarm = self.processes[process].model.alarm().map(|at| at.max(now));
        if alarm != self.processes[process].alarm {
            self.processes[process].alarm = alarm;
            if let Some(at) = alarm {
                self.after(at - now, Happening::Alarm(process));
            }
        }
    }

    fn send(&mut self, process: usize, session: SessionId, message: Message) {
        self.figures.statements += 1;
        if !self.processes[process].cut.contains(&session) {
            self.after(self.plan.round_trip / 2, Happening::Arrives((process, session), message));
        }
    }

    fn perform(&mut self, process: usize, action: Action<u32, String>) {
        match action {
            Action::Open(session) => {
                let it = &mut self.processes[process];
                it.sessions.insert(session);
                self.figures.sessions = self.figures.sessions.max(it.sessions.len());
                self.send(process, session, Message::Open);
            }
            Action::Batch { session, asks } => self.send(process, session, Message::Batch(asks)),
            Action::Wait { session, key, mode, limit } => {
                self.send(process, session, Message::Wait(key, mode, limit));
            }
            Action::Ping(session) => self.send(process, session, Message::Ping),
            Action::End { session, .. } => self.end(process, session),
            Action::Convert { .. } | Action::Raise { .. } | Action::Converted { .. } => {}
            Action::Grant { request, session, .. } => self.granted(process, request, session),
            Action::Refuse { request, refusal } => self.refused(process, request, &refusal),
            Action::Done { .. } | Action::Trust { .. } => {}
            Action::Lose { request, .. } => {
                self.figures.lost += 1;
                self.processes[process].holds.remove(&request);
            }
            Action::Closed => self.processes[process].is_closed = true,
        }
    }

    fn end(&mut self, process: usize, session: SessionId) {
        let link = (process, session);
        self.processes[process].sessions.remove(&session);
        self.send(process, session, Message::End);
        let ended = Event::Ended { session, error: None };
        self.after(self.plan.round_trip, Happening::Answered(link, ended));
    }

    fn ask(&mut self, index: usize) {
        let (now, limit) = (self.now, self.plan.limit);
        let task = &mut self.tasks[index];
        if task.left == 0 || now > limit {
            self.busy -= 1;
            return;
        }
        task.left -= 1;
        task.asked = now;
        task.key = self.rng.u32(..task.work.keys);
        let (process, key, mode) = (task.process, task.key, task.work.mode);
        let patience = match task.work.patience {
            _ if task.work.tries => Patience::No,
            Some(patience) => Patience::Until(now + patience),
            None => Patience::Forever,
        };
        let drops = task.work.drops.filter(|(one_in, _)| self.rng.u32(..*one_in) == 0);
        let request = self.processes[process].request(index);
        if let Some((_, longest)) = drops {
            let delay = longest.mul_f64(self.rng.f64());
            self.after(delay, Happening::GiveUp(index, request));
        }
        self.queues.entry((process, key)).or_default().push_back(request);
        self.tell(
            process,
            Event::Asked(Asked { request, key, mode, patience, need: Need::Nothing }),
        );
    }

    fn granted(&mut self, process: usize, request: RequestId, session: SessionId) {
        self.processes[process].holds.insert(request, session);
        let index = self.processes[process].tasks[&request];
        let task = &self.tasks[index];
        let (waited, kind) = (self.now - task.asked, task.kind);
        let link = (process, session);
        let (key, mode) = (task.key, task.work.mode);
        if self.plan.kills.is_none() {
            assert!(self.server.holds(link, key, mode), "{link:?} {key} {mode:?} {request:?}");
        }
        let others = self.processes[process].holds.keys().filter(|other| **other != request);
        let tasks = others.filter_map(|other| self.processes[process].tasks.get(other));
        for other in tasks.map(|other| &self.tasks[*other]).filter(|other| other.key == key) {
            let both_shared = (mode, other.work.mode) == (Mode::Shared, Mode::Shared);
            assert!(both_shared, "{key} is held beside {other:?}");
        }
        let first = self.queues.get_mut(&(process, task.key)).and_then(VecDeque::pop_front);
        assert_eq!(first, Some(request), "first in, first out");
        let hold = task.work.holds[self.rng.usize(..task.work.holds.len())];
        self.figures.waits.push(waited);
        self.figures.served[kind] += 1;
        self.after(hold, Happening::Finish(index, request));
    }

    fn refused(&mut self, process: usize, request: RequestId, refusal: &Refusal<String>) {
        match refusal {
            Refusal::TimedOut => self.figures.timed_out += 1,
            _ => self.figures.refused += 1,
        }
        if let Some(index) = self.processes[process].tasks.remove(&request) {
            self.leave(index, request);
            self.rest(index);
        }
    }

    fn leave(&mut self, index: usize, request: RequestId) {
        let task = &self.tasks[index];
        if let Some(queue) = self.queues.get_mut(&(task.process, task.key)) {
            queue.retain(|other| *other != request);
        }
    }

    fn rest(&mut self, index: usize) {
        let rest = self.tasks[index].work.rest;
        // A task that was refused does not ask again within the same instant.
        self.after(rest + Duration::from_micros(1), Happening::Begin(index));
    }

    fn finish(&mut self, index: usize, request: RequestId) {
        let process = self.tasks[index].process;
        if self.processes[process].tasks.remove(&request).is_none() {
            return;
        }
        self.processes[process].holds.remove(&request);
        let by_hand = self.rng.bool();
        let event = if by_hand { Event::Released(request) } else { Event::Dropped(request) };
        self.tell(process, event);
        self.rest(index);
    }

    fn give_up(&mut self, index: usize, request: RequestId) {
        let process = self.tasks[index].process;
        if self.processes[process].tasks.remove(&request).is_none() {
            return;
        }
        self.processes[process].holds.remove(&request);
        self.leave(index, request);
        self.tell(process, Event::Dropped(request));
        self.rest(index);
    }

    fn arrives(&mut self, link: Link, message: Message) {
        let (process, session) = link;
        if let Message::Open = message {
            return self.open(link);
        }
        if !self.server.sessions.contains_key(&link) {
            return;
        }
        self.server.sessions.insert(link, self.now);
        match message {
            Message::Open => {}
            Message::Batch(asks) => self.batch(link, &asks),
            Message::Wait(key, mode, limit) => self.wait(link, key, mode, limit),
            Message::Ping => self.answer(link, Answer::Pong),
            Message::End => {
                let granted = self.server.end((process, session));
                self.granted_by_server(granted);
            }
        }
    }

    fn open(&mut self, link: Link) {
        let session = link.1;
        let event = if self.server.sessions.len() < self.plan.max_connections {
            self.server.sessions.insert(link, self.now);
            Event::Opened { session, server: "one".to_owned() }
        } else {
            self.processes[link.0].sessions.remove(&session);
            Event::Ended { session, error: Some("too many connections".to_owned()) }
        };
        self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
    }

    fn batch(&mut self, link: Link, asks: &[Ask<u32>]) {
        let fails = self.plan.interrupts.is_some_and(|one_in| self.rng.u32(..one_in) == 0);
        let asks = if fails { &asks[..asks.len() / 2] } else { asks };
        let (truths, granted) = self.server.batch(link, asks);
        let answer = if fails { Err("interrupted".to_owned()) } else { Ok(truths) };
        self.answer(link, Answer::Batch(answer));
        self.granted_by_server(granted);
    }

    fn wait(&mut self, link: Link, key: u32, mode: Mode, limit: Duration) {
        if self.server.wait(link, key, mode) {
            return self.answer(link, Answer::Wait(Ok(true)));
        }
        self.number += 1;
        self.waits.insert(link, self.number);
        self.after(limit, Happening::Limit(link, key, self.number));
    }

    fn limit(&mut self, link: Link, key: u32, number: u64) {
        if self.waits.get(&link) == Some(&number)
            && let Some(granted) = self.server.leave(link, key)
        {
            self.answer(link, Answer::Wait(Ok(false)));
            self.granted_by_server(granted);
        }
    }

    fn granted_by_server(&mut self, links: Vec<Link>) {
        for link in links {
            self.server.sessions.insert(link, self.now);
            self.answer(link, Answer::Wait(Ok(true)));
        }
    }

    fn answer(&mut self, link: Link, answer: Answer<String>) {
        let (process, session) = link;
        if !self.processes[process].cut.contains(&session) {
            let event = Event::Answered { session, answer };
            self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
        }
    }

    fn drawn(&mut self) -> Option<Link> {
        let count = self.server.sessions.len();
        let place = self.rng.usize(..count.max(1));
        self.server.sessions.keys().nth(place).copied()
    }

    /// A session is killed; its client hears of it.
    fn kill(&mut self) {
        if let Some(link) = self.drawn() {
            let granted = self.server.end(link);
            self.granted_by_server(granted);
            let (process, session) = link;
            if !self.processes[process].cut.contains(&session) {
                self.processes[process].sessions.remove(&session);
                let event = Event::Ended { session, error: Some("killed".to_owned()) };
                self.after(self.plan.round_trip / 2, Happening::Answered(link, event));
            }
        }
        let every = self.plan.kills.unwrap_or_default();
        self.after(every, Happening::Kill);
    }

    /// Nothing goes through any more, in either direction, and nobody is told.
    fn cut(&mut self) {
        if let Some((process, session)) = self.drawn() {
            self.processes[process].cut.insert(session);
        }
        let every = self.plan.cuts.unwrap_or_default();
        self.after(every, Happening::Cut);
    }

    /// The server ends sessions that were silent for the lease.
    fn look(&mut self) {
        let (now, lease) = (self.now, self.plan.settings.lease);
        let silent = self.server.sessions.iter().filter(|(_, said)| now >= **said + lease);
        for link in Vec::from_iter(silent.map(|(link, _)| *link)) {
            if !self.server.is_waiting(link) {
                let granted = self.server.end(link);
                self.granted_by_server(granted);
            }
        }
        self.after(Duration::from_millis(10), Happening::Look);
    }

    /// Whoever believes to hold a key, and was told nothing else, holds it on the server.
    fn check(&self) {
        if self.plan.kills.is_some() {
            return;
        }
        for (number, process) in self.processes.iter().enumerate() {
            for (request, session) in &process.holds {
                let task = process.tasks.get(request).map(|task| &self.tasks[*task]);
                let link = (number, *session);
                let holds = task.is_none_or(|it| self.server.holds(link, it.key, it.work.mode));
                assert!(holds, "{number} {request:?} {session:?} {task:?}");
            }
        }
    }

    /// Everything is let go, and nothing stays behind.
    fn close(&mut self) {
        (0..self.processes.len()).for_each(|process| self.tell(process, Event::Closed));
        let end = self.now + self.plan.settings.lease * 3;
        while let Some((at, happening)) = self.agenda.pop_first() {
            self.now = at.0;
            let is_fault = matches!(happening, Happening::Kill | Happening::Cut);
            if !is_fault {
                self.happens(happening);
            }
            if self.now > end {
                break;
            }
        }
        assert!(self.processes.iter().all(|process| process.is_closed), "a process did not close");
        assert!(self.server.is_clean(), "{:?}", self.server);
    }
}
