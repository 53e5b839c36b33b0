use crate::call::{Call, Form};
use crate::{Key, Mode};
use itoa::Buffer;

/// What one lock says to the server: each text is made once, and by adding up pieces, since formatting
/// takes longer than it takes to send it.
#[derive(Debug)]
pub(crate) struct Texts {
    key: Key,
    mode: Mode,
    /// The key as arguments; empty until there is something to say.
    arguments: String,
    /// The unlock, and behind it the last acquire.
    text: String,
    /// Where the unlock ends.
    unlock: usize,
    acquire: Option<Acquire>,
}

/// A way to acquire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Acquire {
    Try,
    /// For so many milliseconds; 0 is for ever.
    Wait(u64),
}

impl Texts {
    pub(crate) fn new(key: Key, mode: Mode) -> Self {
        let (arguments, text) = (String::new(), String::new());
        Self { key, mode, arguments, text, unlock: 0, acquire: None }
    }

    /// The key as arguments.
    pub(crate) fn arguments(&mut self) -> &str {
        self.begin();
        &self.arguments
    }

    /// A call that answers at once.
    pub(crate) fn call(&mut self, call: Call) -> &str {
        match call {
            Call::Try => self.acquire(Acquire::Try),
            Call::Unlock => self.unlock(),
        }
    }

    /// The unlock.
    pub(crate) fn unlock(&mut self) -> &str {
        self.begin();
        &self.text[..self.unlock]
    }

    /// An unlock that may find nothing to unlock.
    pub(crate) fn unlock_if_held(&mut self) -> String {
        let held = self.key.held();
        format!("{} WHERE {held}", self.unlock())
    }

    /// An acquire.
    pub(crate) fn acquire(&mut self, acquire: Acquire) -> &str {
        self.begin();
        if self.acquire != Some(acquire) {
            self.text.truncate(self.unlock);
            match acquire {
                Acquire::Try => Call::Try.write(&mut self.text, self.mode, &self.arguments),
                Acquire::Wait(millis) => wait(&mut self.text, self.mode, &self.arguments, millis),
            }
            self.acquire = Some(acquire);
        }
        &self.text[self.unlock..]
    }

    fn begin(&mut self) {
        if self.arguments.is_empty() {
            self.arguments = self.key.arguments();
            self.text.reserve(LENGTH);
            Call::Unlock.write(&mut self.text, self.mode, &self.arguments);
            self.unlock = self.text.len();
        }
    }
}

/// Room for an unlock and a wait.
const LENGTH: usize = 640;

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

/// Adds a wait of so many milliseconds (0: for ever) to a text.
///
/// An implicit transaction: its settings end with it. The session's lock is asked for only when the
/// transaction's is granted, since the former may be held after all when it reports a time-out.
/// Inside a transaction of the caller's nothing is set, taken or aborted.
pub(crate) fn wait(text: &mut String, mode: Mode, key: &str, millis: u64) {
    text.extend([
        REFUSE,
        "ELSE concat(set_config('statement_timeout','0',true),set_config('lock_timeout','",
        Buffer::new().format(millis),
        "',true),",
        LIFT,
        ") END;SELECT ",
    ]);
    text.extend(take(mode, key));
    text.push_str(" WHERE now()=statement_timestamp() AND NOT pg_is_in_recovery()");
}

/// The same wait as one statement to be prepared, whose first parameter is the time. A limit on
/// statements can be lifted by the statement before only: where there is one, it refuses.
pub(crate) fn prepare(name: &str, mode: Mode, form: Form) -> String {
    let (types, key) = match form {
        Form::Single => ("bigint", "$2"),
        Form::Pair => ("int,int", "$2,$3"),
    };
    format!(
        "PREPARE {name}(text,{types}) AS {REFUSE}\
         WHEN current_setting('statement_timeout')<>'0' THEN 'limited' \
         ELSE concat(set_config('lock_timeout',$1,true),{LIFT},{}) END;",
        take(mode, key).concat()
    )
}

/// The transaction's lock, then the session's: expressions of a list are evaluated in its order.
fn take(mode: Mode, key: &str) -> [&str; 9] {
    let suffix = mode.suffix();
    ["pg_advisory_xact_lock", suffix, "(", key, "),pg_advisory_lock", suffix, "(", key, ")"]
}

/// A prepared wait of so many milliseconds.
pub(crate) fn execute(name: &str, key: &str, millis: u64) -> String {
    ["EXECUTE ", name, "('", Buffer::new().format(millis), "',", key, ")"].concat()
}
