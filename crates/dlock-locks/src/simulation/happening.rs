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
    /// The server looks for sessions that were silent for too long.
    Look,
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
