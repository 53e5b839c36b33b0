//! How a command is guarded, as `dlock` tells its guardian.

use rustix::process::Pid;
use std::ffi::OsString;
use std::time::Duration;

/// What happens to processes that are there when the command itself has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Leftovers {
    /// They get SIGTERM, and SIGKILL after `--kill-after`.
    End,
    /// The key stays held until they have ended.
    Wait,
}

/// How a command is guarded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    /// How long after SIGTERM comes SIGKILL.
    pub(crate) kill_after: Duration,
    /// How long before the end of trust the command is asked to end.
    pub(crate) grace: Duration,
    /// Until when the lock is trusted to begin with.
    pub(crate) trusted: Option<Duration>,
    /// What happens to those that the command leaves behind.
    pub(crate) leftovers: Leftovers,
    /// The group of the terminal, for the command to be in.
    pub(crate) foreground: Option<Pid>,
}

/// The name that the guardian is called by.
pub(crate) const GUARDIAN: &str = "guardian";

impl Terms {
    /// As arguments, before those of the command.
    pub(crate) fn to_arguments(self) -> [String; 6] {
        let millis = |duration: Duration| duration.as_millis().to_string();
        let trusted = self.trusted.map_or(0, |until| until.as_millis());
        let group = self.foreground.map_or(0, |group| group.as_raw_nonzero().get());
        [
            GUARDIAN.to_owned(),
            millis(self.kill_after),
            millis(self.grace),
            trusted.to_string(),
            u8::from(self.leftovers == Leftovers::Wait).to_string(),
            group.to_string(),
        ]
    }

    /// Reads what [`to_arguments`](Self::to_arguments) has written, after the name.
    pub(crate) fn from_arguments(arguments: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let mut number = || arguments.next()?.to_str()?.parse::<u64>().ok();
        let kill_after = Duration::from_millis(number()?);
        let grace = Duration::from_millis(number()?);
        let trusted = Some(Duration::from_millis(number()?)).filter(|until| !until.is_zero());
        let leftovers = if number()? == 0 { Leftovers::End } else { Leftovers::Wait };
        let foreground = Pid::from_raw(i32::try_from(number()?).ok()?);
        Some(Self { kill_after, grace, trusted, leftovers, foreground })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_arrive_as_they_were_sent() {
        let terms = Terms {
            kill_after: Duration::from_secs(5),
            grace: Duration::from_millis(900),
            trusted: Some(Duration::from_millis(123_456_789)),
            leftovers: Leftovers::Wait,
            foreground: Pid::from_raw(77),
        };
        for terms in
            [terms, Terms { trusted: None, leftovers: Leftovers::End, foreground: None, ..terms }]
        {
            let mut arguments = terms.to_arguments().map(OsString::from).into_iter().skip(1);
            assert_eq!(Terms::from_arguments(&mut arguments), Some(terms));
            assert_eq!(arguments.next(), None);
        }
    }
}
