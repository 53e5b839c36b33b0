use crate::call::Call;
use crate::{Key, Mode};
use std::sync::OnceLock;

/// What one lock says to the server. Each text is made once, and by concatenation: formatting takes
/// longer than it takes to send it.
#[derive(Debug)]
pub(crate) struct Texts {
    key: Key,
    mode: Mode,
    attempt: OnceLock<String>,
    unlock: OnceLock<String>,
    /// The last wait's: its `lock_timeout`, and the text.
    wait: (u64, String),
}

impl Texts {
    pub(crate) fn new(key: Key, mode: Mode) -> Self {
        let (attempt, unlock) = (OnceLock::new(), OnceLock::new());
        Self { key, mode, attempt, unlock, wait: (0, String::new()) }
    }

    /// A call that answers at once.
    pub(crate) fn call(&self, call: Call) -> &str {
        let text = match call {
            Call::Try => &self.attempt,
            Call::Unlock => &self.unlock,
        };
        text.get_or_init(|| call.text(self.mode, &self.key.arguments()))
    }

    /// An unlock that may find nothing to unlock.
    pub(crate) fn unlock_if_held(&self) -> String {
        format!("{} WHERE {}", self.call(Call::Unlock), self.key.held())
    }

    /// A wait of so many milliseconds (0: for ever), from now on.
    pub(crate) fn set_wait(&mut self, millis: u64) {
        if self.wait.1.is_empty() || self.wait.0 != millis {
            self.wait = (millis, self.waiting(millis));
        }
    }

    /// The wait that was set.
    pub(crate) fn wait(&self) -> &str {
        &self.wait.1
    }

    /// An implicit transaction: its settings end with it. The session's lock is asked for only when
    /// the transaction's is granted, since the former may be held after all when it reports a
    /// time-out. Inside a transaction of the caller's nothing is set, taken or aborted.
    fn waiting(&self, millis: u64) -> String {
        let (suffix, key) = (self.mode.suffix(), self.key.arguments());
        [
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' \
             WHEN now()<>statement_timestamp() THEN 'transaction' \
             ELSE set_config('lock_timeout','",
            &millis.to_string(),
            "',true)||set_config('statement_timeout','0',true)\
             ||CASE WHEN current_setting('transaction_timeout',true) IS NULL THEN '' \
             ELSE set_config('transaction_timeout','0',true) END END;\
             SELECT CASE WHEN now()=statement_timestamp() AND NOT pg_is_in_recovery() \
             THEN pg_advisory_xact_lock",
            suffix,
            "(",
            &key,
            ") END;\
             SELECT CASE WHEN now()=statement_timestamp() AND NOT pg_is_in_recovery() \
             THEN pg_advisory_lock",
            suffix,
            "(",
            &key,
            ") END",
        ]
        .concat()
    }
}
