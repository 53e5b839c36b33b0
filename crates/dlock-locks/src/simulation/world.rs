use super::figures::Figures;
use super::happening::Happening;
use super::plan::Plan;
use super::process::Process;
use super::server::Server;
use super::task::{Task, Work};
use crate::model::{Event, RequestId, SessionId};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// A session as the server knows it: of which process, and which of its sessions.
pub(crate) type Link = (usize, SessionId);

/// Processes, their tasks, and a server.
#[derive(Debug)]
pub(crate) struct World {
    pub(super) plan: Plan,
    pub(super) rng: fastrand::Rng,
    pub(crate) now: Duration,
    agenda: BTreeMap<(Duration, u64), Happening>,
    pub(super) number: u64,
    pub(crate) server: Server,
    pub(super) processes: Vec<Process>,
    pub(super) tasks: Vec<Task>,
    pub(super) waits: BTreeMap<Link, u64>,
    pub(super) busy: usize,
    pub(super) figures: Figures,
    /// Who asked for a key in a process, in that order, and was not answered.
    pub(super) queues: HashMap<(usize, u32), VecDeque<RequestId>>,
    /// The last token of each key.
    pub(super) tokens: HashMap<u32, u64>,
}

impl World {
    /// Runs a plan to its end.
    pub(crate) fn run(plan: Plan) -> Figures {
        let mut world = Self::new(plan);
        while let Some((at, happening)) = world.agenda.pop_first() {
            world.now = at.0;
            world.happens(happening);
            assert!(world.number < 3_000_000, "it goes on without end: {:?}", world.plan);
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
            tokens: HashMap::new(),
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
        let stalls = (self.plan.stalls.map(|(every, _)| every), Happening::Stall);
        for (every, fault) in faults.into_iter().chain([stalls]) {
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

    pub(super) fn after(&mut self, delay: Duration, happening: Happening) {
        self.number += 1;
        self.agenda.insert((self.now + delay, self.number), happening);
    }

    fn happens(&mut self, happening: Happening) {
        if let Some(until) = self.stands_until(&happening) {
            if let Happening::Alarm(process) = happening {
                if self.processes[process].alarm != Some(self.now) {
                    return;
                }
                self.processes[process].alarm = Some(until);
            }
            return self.after(until - self.now, happening);
        }
        self.happens_now(happening);
    }

    fn happens_now(&mut self, happening: Happening) {
        match happening {
            Happening::Begin(task) => self.ask(task),
            Happening::Finish(task, request) => self.finish(task, request),
            Happening::Upgrade(task, request) => self.upgrade(task, request),
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
            Happening::Stall => self.stall(),
            Happening::Look => self.look(),
        }
    }

    pub(super) fn tell(&mut self, process: usize, event: Event<u32, String>) {
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

    /// Whoever believes to hold a key, and was told nothing else, holds it on the server.
    fn check(&self) {
        if self.plan.kills.is_some() {
            return;
        }
        for (number, process) in self.processes.iter().enumerate() {
            for (request, (session, mode)) in &process.holds {
                let task = process.tasks.get(request).map(|task| &self.tasks[*task]);
                let link = (number, *session);
                let holds = !self.is_trusted(link)
                    || task.is_none_or(|it| self.server.holds(link, it.key, *mode));
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
            let is_fault = matches!(happening, Happening::Kill | Happening::Cut | Happening::Stall);
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
