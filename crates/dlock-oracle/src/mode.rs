use std::fmt;

/// How a user lock may be held.
///
/// | held \ asked | NL | SS | SX | S | SSX | X |
/// |---|---|---|---|---|---|---|
/// | NL | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ |
/// | SS | ✓ | ✓ | ✓ | ✓ | ✓ | waits |
/// | SX | ✓ | ✓ | ✓ | waits | waits | waits |
/// | S | ✓ | ✓ | waits | ✓ | waits | waits |
/// | SSX | ✓ | ✓ | waits | waits | waits | waits |
/// | X | ✓ | waits | waits | waits | waits | waits |
///
/// Whoever comes while others wait, waits behind them.
/// <https://docs.oracle.com/en/database/oracle/oracle-database/21/arpls/DBMS_LOCK.html>
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// Null: with everything.
    NL = 1,
    /// Sub shared: announces shared use of a part.
    SS,
    /// Sub exclusive: announces exclusive use of a part.
    SX,
    /// Shared.
    S,
    /// Shared sub exclusive: shared, with exclusive use of a part.
    SSX,
    /// Exclusive.
    #[default]
    X,
}

impl Mode {
    /// The `lockmode` of `DBMS_LOCK`: `nl_mode` to `x_mode`.
    pub(crate) fn number(self) -> i64 {
        self as i64
    }
}

impl From<Mode> for dlock_locks::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::NL => Self::Null,
            Mode::SS => Self::SubShared,
            Mode::SX => Self::SubExclusive,
            Mode::S => Self::Shared,
            Mode::SSX => Self::SharedSubExclusive,
            Mode::X => Self::Exclusive,
        }
    }
}

impl From<dlock_locks::Mode> for Mode {
    /// Nothing here is compatible with shared holders and excludes itself: update mode, which nobody can
    /// ask for, is the nearest.
    fn from(mode: dlock_locks::Mode) -> Self {
        match mode {
            dlock_locks::Mode::Null => Self::NL,
            dlock_locks::Mode::SubShared => Self::SS,
            dlock_locks::Mode::SubExclusive => Self::SX,
            dlock_locks::Mode::Shared => Self::S,
            dlock_locks::Mode::Update | dlock_locks::Mode::SharedSubExclusive => Self::SSX,
            _ => Self::X,
        }
    }
}

/// What `V$LOCK` shows in `LMODE` and `REQUEST`; `None`: nothing.
pub(crate) fn shown(number: i64) -> Option<Mode> {
    let all = [Mode::NL, Mode::SS, Mode::SX, Mode::S, Mode::SSX, Mode::X];
    all.into_iter().find(|mode| mode.number() == number)
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
