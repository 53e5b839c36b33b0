use crate::call::{Call, Form};
use crate::{Key, Mode};
use std::sync::OnceLock;

/// What one lock says to the server. Each text is made once, and by concatenation: formatting takes
/// longer than it takes to send it.
#[derive(Debug)]
pub(crate) struct Texts {
    key: Key,
    arguments: String,
    mode: Mode,
    attempt: OnceLock<String>,
    unlock: OnceLock<String>,
    /// The last wait's: its `lock_timeout`, and the text.
    wait: (u64, String),
}

impl Texts {
    pub(crate) fn new(key: Key, mode: Mode) -> Self {
        let (attempt, unlock) = (OnceLock::new(), OnceLock::new());
        Self { key, arguments: key.arguments(), mode, attempt, unlock, wait: (0, String::new()) }
    }

    /// The key as arguments.
    pub(crate) fn arguments(&self) -> &str {
        &self.arguments
    }

    /// A call that answers at once.
    pub(crate) fn call(&self, call: Call) -> &str {
        let text = match call {
            Call::Try => &self.attempt,
            Call::Unlock => &self.unlock,
        };
        text.get_or_init(|| call.text(self.mode, &self.arguments))
    }

    /// An unlock that may find nothing to unlock.
    pub(crate) fn unlock_if_held(&self) -> String {
        format!("{} WHERE {}", self.call(Call::Unlock), self.key.held())
    }

    /// A wait of so many milliseconds (0: for ever), from now on.
    pub(crate) fn set_wait(&mut self, millis: u64) {
        if self.wait.1.is_empty() || self.wait.0 != millis {
            self.wait = (millis, waiting(self.mode, &self.arguments, millis));
        }
    }

    /// The wait that was set.
    pub(crate) fn wait(&self) -> &str {
        &self.wait.1
    }
}

/// Lifts the limit that a transaction has from version 17 on.
const LIFT: &str = "CASE WHEN current_setting('transaction_timeout',true) IS NOT NULL \
                    THEN set_config('transaction_timeout','0',true) END";

/// Why a wait is refused here. In a simple query the two times are the same outside a transaction of
/// the caller's only.
const REFUSE: &str = "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' \
                      WHEN now()<>statement_timestamp() THEN 'transaction' ";

/// A look at the session's own limit on statements, and whether one of this name is prepared.
pub(crate) fn look(name: &str) -> String {
    format!(
        "SELECT current_setting('statement_timeout'),'{name}',\
         EXISTS(SELECT FROM pg_prepared_statements WHERE name='{name}');"
    )
}

/// A wait of so many milliseconds (0: for ever).
///
/// An implicit transaction: its settings end with it. The session's lock is asked for only when the
/// transaction's is granted, since the former may be held after all when it reports a time-out.
/// Inside a transaction of the caller's nothing is set, taken or aborted.
pub(crate) fn waiting(mode: Mode, key: &str, millis: u64) -> String {
    [
        REFUSE,
        "ELSE concat(set_config('lock_timeout','",
        &millis.to_string(),
        "',true),set_config('statement_timeout','0',true),",
        LIFT,
        ") END;SELECT ",
        &take(mode, key),
        " WHERE now()=statement_timestamp() AND NOT pg_is_in_recovery()",
    ]
    .concat()
}

/// The same wait as one statement to be prepared, whose first parameter is the time. A limit on
/// statements can be lifted by the statement before only: where there is one, it refuses.
pub(crate) fn prepare(name: &str, mode: Mode, form: Form) -> String {
    let (types, key) = match form {
        Form::Single => ("bigint", "$2"),
        Form::Pair => ("int,int", "$2,$3"),
    };
    [
        &format!("PREPARE {name}(text,{types}) AS "),
        REFUSE,
        "WHEN current_setting('statement_timeout')<>'0' THEN 'limited' \
         ELSE concat(set_config('lock_timeout',$1,true),",
        LIFT,
        ",",
        &take(mode, key),
        ") END;",
    ]
    .concat()
}

/// The transaction's lock, then the session's: expressions of a list are evaluated in its order.
fn take(mode: Mode, key: &str) -> String {
    let suffix = mode.suffix();
    ["pg_advisory_xact_lock", suffix, "(", key, "),pg_advisory_lock", suffix, "(", key, ")"]
        .concat()
}

/// A prepared wait of so many milliseconds.
pub(crate) fn execute(name: &str, key: &str, millis: u64) -> String {
    ["EXECUTE ", name, "('", &millis.to_string(), "',", key, ")"].concat()
}
