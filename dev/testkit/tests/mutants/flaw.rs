use dlock_core::{Error, Wait};
use dlock_testkit::memory::Ended;
use std::time::Duration;

/// What is wrong with a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// Nothing.
    None,
    /// A release says that it released, and sends nothing.
    ReleaseDoesNothing,
    /// A dropped guard or wait is forgotten.
    DropForgotten,
    /// A dropped wait is called off, but a grant that came first is not released.
    GrantKept,
    /// The lock comes out of doubt before the release in the background has been answered.
    SettledTooEarly,
    /// The statement after a dropped call gets the answer of the one before.
    OffByOne,
    /// A dropped wait goes on in the server.
    WaiterLeft,
    /// A second lock over one session and key is told that it holds it.
    ReEntry,
    /// A bounded wait that is granted says that it ran out.
    TimedOutWhileHeld,
    /// A wait shorter than a second is no wait.
    RoundedDown,
    /// A wait for ever ends.
    ForeverEnds,
    /// A wait looks again and again, and stands in no queue.
    Polls,
    /// Whoever came last is served first.
    Barges,
    /// A release does not say that there was nothing to release.
    LossNotTold,
    /// The lock does not know that its session has ended.
    EndNotSeen,
    /// A deadlock is told as a wait that ran out.
    DeadlockAsTimeOut,
    /// A lock that is asked to be shared is exclusive.
    ExclusiveForShared,
    /// A lock that is not asked to be shared is shared.
    SharedForExclusive,
}

impl Flaw {
    /// All but none.
    pub(crate) const ALL: [Self; 17] = [
        Self::ReleaseDoesNothing,
        Self::DropForgotten,
        Self::GrantKept,
        Self::SettledTooEarly,
        Self::OffByOne,
        Self::WaiterLeft,
        Self::ReEntry,
        Self::TimedOutWhileHeld,
        Self::RoundedDown,
        Self::ForeverEnds,
        Self::Polls,
        Self::Barges,
        Self::LossNotTold,
        Self::EndNotSeen,
        Self::DeadlockAsTimeOut,
        Self::ExclusiveForShared,
        Self::SharedForExclusive,
    ];

    pub(crate) fn name(self) -> String {
        format!("{self:?}")
    }

    /// The promise that must be broken by it. Others may be too.
    pub(crate) fn promise(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ReleaseDoesNothing => "basics::flag",
            Self::DropForgotten | Self::SettledTooEarly => "drops::guard",
            Self::GrantKept | Self::OffByOne => "drops::every_poll_granted",
            Self::WaiterLeft => "drops::every_poll_timed_out",
            Self::ReEntry => "reentry::refused",
            Self::TimedOutWhileHeld | Self::ForeverEnds => "waits::for_ever",
            Self::RoundedDown => "waits::bounded",
            Self::Polls => "waits::hand_over",
            Self::Barges => "waits::order",
            Self::LossNotTold | Self::EndNotSeen => "loss::killed_holder",
            Self::DeadlockAsTimeOut => "deadlock::crossed",
            Self::ExclusiveForShared => "shared::together",
            Self::SharedForExclusive => "exclusion::two_sessions",
        }
    }

    /// How often a wait looks that stands in no queue.
    pub(crate) fn pause(self) -> Option<Duration> {
        match self {
            Self::Polls => Some(Duration::from_millis(50)),
            Self::Barges => Some(Duration::from_millis(2)),
            _ => None,
        }
    }

    /// The wait that is made of the one asked for.
    pub(crate) fn wait(self, wait: Wait) -> Wait {
        match (self, wait) {
            (Self::RoundedDown, Wait::For(limit)) => {
                Wait::from(Duration::from_secs(limit.as_secs()))
            }
            (Self::ForeverEnds, Wait::Forever) => Wait::For(Duration::from_millis(300)),
            _ => wait,
        }
    }

    /// What is told of the server's answer.
    pub(crate) fn answer(
        self,
        wait: Wait,
        answer: Result<bool, Error<Ended>>,
    ) -> Result<bool, Error<Ended>> {
        match (self, wait, answer) {
            (Self::ReEntry, _, Err(Error::AlreadyHeld)) => Ok(true),
            (Self::TimedOutWhileHeld, Wait::For(_), Ok(true)) => Ok(false),
            (Self::DeadlockAsTimeOut, _, Err(Error::Deadlock(_))) => Ok(false),
            (_, _, answer) => answer,
        }
    }
}
