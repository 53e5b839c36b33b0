//! Every text that goes to the server.
//!
//! Whatever the search path holds, each function, operator, type and table is `pg_catalog`'s: names are
//! qualified, and where the grammar leaves no room for that, operands have the operator's exact types.

use crate::Mode;
use crate::key::Number;

/// Whether a message is outside a transaction begun by hand: in a simple query the two times are the
/// same there.
pub(crate) const OUTSIDE: &str =
    "pg_catalog.now()OPERATOR(pg_catalog.=)pg_catalog.statement_timestamp()";

/// Advisory locks work on a standby too, and exclude nobody on the primary.
pub(crate) const STANDBY: &str = "WHEN pg_catalog.pg_is_in_recovery() THEN 'standby'";

/// Rolls a failed transaction back.
pub(crate) const ROLLBACK: &str = "ROLLBACK";

/// Ends the session that says it, behind all that was sent before, in a failed transaction too.
pub(crate) const TERMINATE: &str =
    "ROLLBACK;SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())";

/// A try or an unlock of one `bigint` key, to be prepared: `$2` picks which, `$3` the mode. A standby is
/// not tried.
pub(crate) const PREPARED: &str = "SELECT CASE WHEN $2 THEN CASE \
     WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
     WHEN $3 THEN pg_catalog.pg_try_advisory_lock_shared($1) \
     ELSE pg_catalog.pg_try_advisory_lock($1) END \
     WHEN $3 THEN pg_catalog.pg_advisory_unlock_shared($1) \
     ELSE pg_catalog.pg_advisory_unlock($1) END";

/// Undoes what a transaction's lock did behind its savepoint.
pub(crate) const ROLL_BACK_TO: &str = "ROLLBACK TO SAVEPOINT dlock;RELEASE SAVEPOINT dlock";

/// Keeps it.
pub(crate) const RELEASE: &str = "RELEASE SAVEPOINT dlock";

/// A transaction's limits on a wait, which [`wait_in_xact`] tells and [`restore`] puts back.
pub(crate) const LIMITS: [&str; 3] = ["lock_timeout", "statement_timeout", "transaction_timeout"];

/// The call of a lock function on a key, as typed literals: a bare one beyond `bigint`'s positive half
/// is `numeric`.
fn call(function: &str, mode: Mode, key: Number) -> String {
    let suffix = mode.suffix();
    match key {
        Number::Single(key) => format!("pg_catalog.{function}{suffix}(pg_catalog.int8'{key}')"),
        Number::Pair(one, two) => {
            format!("pg_catalog.{function}{suffix}(pg_catalog.int4'{one}',pg_catalog.int4'{two}')")
        }
    }
}

/// A try, which is none on a standby and inside a transaction: those take a closer look.
pub(crate) fn try_lock(mode: Mode, key: Number) -> String {
    let tried = call("pg_try_advisory_lock", mode, key);
    format!("SELECT CASE WHEN {OUTSIDE} AND NOT pg_catalog.pg_is_in_recovery() THEN {tried} END")
}

/// A try anywhere, which says why it is none: refused where the session or its transaction holds the key.
pub(crate) fn try_closely(mode: Mode, key: Number) -> String {
    try_unless_held("pg_try_advisory_lock", mode, key)
}

/// The same for the transaction's own lock, behind a savepoint.
pub(crate) fn try_xact_lock(mode: Mode, key: Number) -> String {
    format!("SAVEPOINT dlock;{}", try_unless_held("pg_try_advisory_xact_lock", mode, key))
}

fn try_unless_held(function: &str, mode: Mode, key: Number) -> String {
    let (held, tried) = (is_held(None, key), call(function, mode, key));
    format!(
        "SELECT CASE {STANDBY} WHEN {held} THEN 'held' WHEN {tried} THEN 'granted' ELSE 'elsewhere' END"
    )
}

pub(crate) fn unlock(mode: Mode, key: Number) -> String {
    format!("SELECT {}", call("pg_advisory_unlock", mode, key))
}

/// An unlock of what may not be held, which would be a warning in the server's log.
pub(crate) fn unlock_if_held(mode: Mode, key: Number) -> String {
    let (held, unlock) = (is_held(Some(mode), key), call("pg_advisory_unlock", mode, key));
    format!("SELECT CASE WHEN {held} THEN {unlock} END")
}

/// Whether this session holds the key at all.
pub(crate) fn look(key: Number) -> String {
    format!("SELECT {}", is_held(None, key))
}

/// Asked of the function behind `pg_locks`, which needs no grant on the view.
/// <https://www.postgresql.org/docs/current/view-pg-locks.html> says how keys are shown.
fn is_held(mode: Option<Mode>, key: Number) -> String {
    let (class, object, form) = match key {
        Number::Single(key) => (key.cast_unsigned() >> 32, key.cast_unsigned() & 0xffff_ffff, 1),
        Number::Pair(one, two) => (one.cast_unsigned().into(), two.cast_unsigned().into(), 2),
    };
    let in_mode = match mode {
        Some(Mode::Exclusive) => " AND mode OPERATOR(pg_catalog.=) 'ExclusiveLock'",
        Some(Mode::Shared) => " AND mode OPERATOR(pg_catalog.=) 'ShareLock'",
        None => "",
    };
    format!(
        "EXISTS(SELECT FROM pg_catalog.pg_lock_status() \
         WHERE locktype OPERATOR(pg_catalog.=) 'advisory' AND granted \
         AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
         AND classid OPERATOR(pg_catalog.=) pg_catalog.oid'{class}' \
         AND objid OPERATOR(pg_catalog.=) pg_catalog.oid'{object}' \
         AND objsubid OPERATOR(pg_catalog.=) pg_catalog.int2'{form}'{in_mode})"
    )
}

/// How a wait asks for the transaction's lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// A wait that ran out is caught in the server, so that its log has nothing to say.
    Quiet,
    /// It is an error: for servers without `plpgsql`.
    Plain,
}

/// One slice of a session's wait, of so many milliseconds: an implicit transaction, whose settings end
/// with it. Its first answer begins with the server's `deadlock_timeout`, or says why there is no wait.
/// The session's lock is asked for last, when the transaction's is held or is not to be had: a session's
/// lock that reports a time-out may be held all the same.
///
/// Inside a transaction begun by hand, and on a standby, nothing is set, taken or aborted.
pub(crate) fn wait(form: Form, mode: Mode, key: Number, millis: u64) -> String {
    let (limits, taken) = (limits(key, millis), take(form, mode, key));
    let last = call_set("pg_try_advisory_lock", mode, key);
    format!(
        "SELECT CASE {STANDBY} WHEN {OUTSIDE} THEN {limits} ELSE 'transaction' END;{taken};SELECT {last}"
    )
}

/// One slice of a transaction's wait, behind a savepoint. Its first answer tells the limits that it
/// sets aside, too.
pub(crate) fn wait_in_xact(form: Form, mode: Mode, key: Number, millis: u64) -> String {
    let told = LIMITS.map(|name| format!("pg_catalog.current_setting('{name}',true)")).join(",");
    let (limits, taken) = (limits(key, millis), take(form, mode, key));
    let last = call_set("pg_try_advisory_xact_lock", mode, key);
    format!("SAVEPOINT dlock;SELECT {told},{limits};{taken};SELECT {last}")
}

/// Tells `deadlock_timeout`, and sets the limits for one wait and the key to wait for, until the
/// transaction ends. What limits the statement has to be lifted by a statement before it.
pub(crate) fn limits(key: Number, millis: u64) -> String {
    let key = match key {
        Number::Single(key) => key.to_string(),
        Number::Pair(one, two) => format!("{one},{two}"),
    };
    format!(
        "pg_catalog.concat(pg_catalog.current_setting('deadlock_timeout'),' ',\
         pg_catalog.set_config('lock_timeout','{millis}',true),\
         pg_catalog.set_config('statement_timeout','0',true),\
         pg_catalog.set_config('dlock.key','{key}',true),\
         CASE WHEN pg_catalog.current_setting('transaction_timeout',true) IS NOT NULL \
         THEN pg_catalog.set_config('transaction_timeout','0',true) END)"
    )
}

/// The call of a lock function on the key that was set. Where none was, its argument is NULL, and it does
/// nothing. So the text is the same for each key: `pg_stat_statements` keeps every utility statement.
pub(crate) fn call_set(function: &str, mode: Mode, key: Number) -> String {
    let numbers =
        "pg_catalog.concat('{',pg_catalog.current_setting('dlock.key',true),'}')::pg_catalog.";
    let arguments = match key {
        Number::Single(_) => format!("({numbers}_int8)[1]"),
        Number::Pair(..) => format!("({numbers}_int4)[1],({numbers}_int4)[2]"),
    };
    format!("pg_catalog.{function}{}({arguments})", mode.suffix())
}

/// Takes the transaction's lock. The NULL of the block is where an alarm that comes late is met.
fn take(form: Form, mode: Mode, key: Number) -> String {
    let taken = call_set("pg_advisory_xact_lock", mode, key);
    match form {
        Form::Plain => format!("SELECT {taken}"),
        Form::Quiet => format!(
            "DO 'BEGIN PERFORM {}; NULL; EXCEPTION WHEN lock_not_available THEN NULL; END'",
            taken.replace('\'', "''")
        ),
    }
}

/// Puts the limits back that were told, and keeps the grant.
pub(crate) fn restore(limits: [Option<&str>; 3]) -> String {
    let known = LIMITS.iter().zip(limits).filter_map(|(name, value)| Some((name, value?)));
    let restored: String =
        known.map(|(name, value)| format!("SET LOCAL {name}='{value}';")).collect();
    restored + "SET LOCAL dlock.key='';" + RELEASE
}

#[cfg(test)]
mod tests {
    use super::{Form, wait};
    use crate::Mode;
    use crate::key::Number;

    /// `pg_stat_statements` keeps each text of a utility statement.
    #[test]
    fn the_block_of_a_wait_is_the_same_for_each_key() {
        let block = |key| {
            let text = wait(Form::Quiet, Mode::Exclusive, key, 7);
            let start = text.find("DO '").unwrap();
            text[start..text.find("END'").unwrap()].to_owned()
        };
        assert_eq!(block(Number::Single(1)), block(Number::Single(2)));
        assert_eq!(block(Number::Pair(1, 2)), block(Number::Pair(3, -4)));
    }
}
