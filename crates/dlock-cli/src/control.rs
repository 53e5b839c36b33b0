//! What `dlock` and its guardian say to each other, over a pair of sockets: nine bytes a word.

use rustix::process::Pid;
use std::io::{self, Read, Write};
use std::time::Duration;

/// The length of a word: its kind, and a number.
pub(crate) const LENGTH: usize = 9;

/// What the guardian is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Until when the lock is certainly held, by the [clock](crate::clock); for as long as the sockets are
    /// open, where that is `None`.
    Trusted(Option<Duration>),
    /// Send the command this signal.
    Signal(i32),
    /// End the command.
    End,
}

/// What the guardian tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Report {
    /// The command runs, in the process group of this number.
    Started(Pid),
    /// The command could not be started, for this error of the system's.
    NotStarted(i32),
    /// The command has exited with this status.
    Exited(i32),
    /// The command was ended by this signal.
    Killed(i32),
    /// The command is ended since the lock will not be trusted for much longer.
    OutOfTime,
}

impl Order {
    pub(crate) fn to_bytes(self) -> [u8; LENGTH] {
        match self {
            Self::Trusted(None) => word(b'F', 0),
            Self::Trusted(Some(until)) => {
                word(b'T', u64::try_from(until.as_nanos()).unwrap_or(u64::MAX))
            }
            Self::Signal(number) => word(b'S', u64::try_from(number).unwrap_or_default()),
            Self::End => word(b'E', 0),
        }
    }

    pub(crate) fn from_bytes(bytes: [u8; LENGTH]) -> Option<Self> {
        let (kind, number) = parts(bytes);
        Some(match kind {
            b'F' => Self::Trusted(None),
            b'T' => Self::Trusted(Some(Duration::from_nanos(number))),
            b'S' => Self::Signal(i32::try_from(number).ok()?),
            b'E' => Self::End,
            _ => return None,
        })
    }

    /// The next of them; `None` where nobody is there to give any more.
    pub(crate) fn read(mut from: impl Read) -> Option<Self> {
        let mut bytes = [0; LENGTH];
        from.read_exact(&mut bytes).ok()?;
        Self::from_bytes(bytes)
    }
}

impl Report {
    fn to_bytes(self) -> [u8; LENGTH] {
        let (kind, number) = match self {
            Self::Started(pid) => (b'P', pid.as_raw_nonzero().get()),
            Self::NotStarted(error) => (b'N', error),
            Self::Exited(status) => (b'X', status),
            Self::Killed(signal) => (b'K', signal),
            Self::OutOfTime => (b'O', 0),
        };
        word(kind, u64::try_from(number).unwrap_or_default())
    }

    pub(crate) fn from_bytes(bytes: [u8; LENGTH]) -> Option<Self> {
        let (kind, number) = parts(bytes);
        let number = i32::try_from(number).ok()?;
        Some(match kind {
            b'P' => Self::Started(Pid::from_raw(number)?),
            b'N' => Self::NotStarted(number),
            b'X' => Self::Exited(number),
            b'K' => Self::Killed(number),
            b'O' => Self::OutOfTime,
            _ => return None,
        })
    }

    pub(crate) fn write(self, mut to: impl Write) -> io::Result<()> {
        to.write_all(&self.to_bytes())
    }
}

fn word(kind: u8, number: u64) -> [u8; LENGTH] {
    let mut bytes = [kind; LENGTH];
    bytes[1..].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn parts(bytes: [u8; LENGTH]) -> (u8, u64) {
    let [kind, number @ ..] = bytes;
    (kind, u64::from_le_bytes(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_arrive_as_they_were_given() {
        let until = Duration::new(12_345, 678_901_234);
        let orders =
            [Order::Trusted(None), Order::Trusted(Some(until)), Order::Signal(15), Order::End];
        for order in orders {
            assert_eq!(Order::read(&order.to_bytes()[..]), Some(order));
        }
        assert_eq!(Order::read(&Order::End.to_bytes()[..LENGTH - 1]), None);
        assert_eq!(Order::from_bytes([b'?'; LENGTH]), None);
    }

    #[test]
    fn reports_arrive_as_they_were_given() {
        let pid = Pid::from_raw(i32::MAX).unwrap();
        let reports = [
            Report::Started(pid),
            Report::NotStarted(2),
            Report::Exited(255),
            Report::Killed(9),
            Report::OutOfTime,
        ];
        for report in reports {
            assert_eq!(Report::from_bytes(report.to_bytes()), Some(report));
        }
    }
}
