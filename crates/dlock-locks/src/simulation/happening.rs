use super::world::Link;
use crate::Mode;
use crate::model::{Ask, Event, RequestId};
use std::time::Duration;

/// What happens at a moment.
#[derive(Debug)]
pub(crate) enum Happening {
    Begin(usize),
    Finish(usize, RequestId),
    Upgrade(usize, RequestId),
    GiveUp(usize, RequestId),
    Alarm(usize),
    Arrives(Link, Message),
    /// A wait of this number has come to its limit.
    Limit(Link, u32, u64),
    Answered(Link, Event<u32, String>),
    Kill,
    Cut,
    /// A process stands still.
    Stall,
    /// The server looks for sessions that were silent for too long.
    Look,
}

impl Happening {
    /// The process without which it does not happen.
    pub(crate) fn process(&self, process_of: impl Fn(usize) -> usize) -> Option<usize> {
        match self {
            Self::Begin(task)
            | Self::Finish(task, _)
            | Self::Upgrade(task, _)
            | Self::GiveUp(task, _) => Some(process_of(*task)),
            Self::Alarm(process) | Self::Answered((process, _), _) => Some(*process),
            _ => None,
        }
    }
}

/// What a process sends.
#[derive(Debug)]
pub(crate) enum Message {
    Open,
    Batch(Vec<Ask<u32>>),
    Wait(u32, Mode, Duration),
    Convert(u32, Mode),
    Raise(u32),
    Ping,
    End,
}
