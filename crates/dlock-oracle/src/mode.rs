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

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
