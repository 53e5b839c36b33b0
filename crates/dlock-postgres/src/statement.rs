//! Every text that goes to the server.
//!
//! Whatever the search path holds, each function, operator, type and table is `pg_catalog`'s: names are
//! qualified, and where the grammar leaves no room for that, operands have the operator's exact types.

use crate::Mode;
use crate::key::Number;
use itoa::Buffer;

/// Whether a message is outside a transaction begun by hand: in a simple query the two times are the
/// same there, and no statement before it in the message has changed the second.
const OUTSIDE: &str = "pg_catalog.now()OPERATOR(pg_catalog.=)pg_catalog.statement_timestamp()";

/// Advisory locks work on a standby too, and exclude nobody on the primary.
const STANDBY: &str = "WHEN pg_catalog.pg_is_in_recovery() THEN 'standby' ";

/// Rolls a failed transaction back.
pub(crate) const ROLLBACK: &str = "ROLLBACK";

/// Ends the session that says it, behind all that was sent before.
pub(crate) const TERMINATE: &str =
    "SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())";

/// Whether a `CONCURRENTLY` command waits somewhere on this server for older transactions to end.
pub(crate) const CONCURRENTLY: &str = "SELECT EXISTS(SELECT FROM pg_catalog.pg_lock_status() \
     WHERE NOT granted AND locktype OPERATOR(pg_catalog.=) 'virtualxid')";

/// A try, an unlock of one `bigint` key, as one statement to be prepared: `$2` picks which, `$3` the
/// mode. Outside a simple query it cannot tell whether a transaction is open.
pub(crate) const PREPARED: &str = "SELECT CASE WHEN $2 THEN CASE \
     WHEN pg_catalog.pg_is_in_recovery() THEN 'standby' \
     WHEN CASE WHEN $3 THEN pg_catalog.pg_try_advisory_lock_shared($1) \
     ELSE pg_catalog.pg_try_advisory_lock($1) END THEN 'granted' \
     ELSE pg_catalog.current_setting('deadlock_timeout') END \
     WHEN CASE WHEN $3 THEN pg_catalog.pg_advisory_unlock_shared($1) \
     ELSE pg_catalog.pg_advisory_unlock($1) END THEN 'released' ELSE 'not held' END";

/// Begins what a transaction's lock may have to undo.
pub(crate) const SAVEPOINT: &str = "SAVEPOINT dlock;";

/// Undoes it.
pub(crate) const ROLL_BACK_TO: &str = "ROLLBACK TO SAVEPOINT dlock;RELEASE SAVEPOINT dlock";

/// The transaction's limits on a wait, as [`limits`] sets them, and [`restore`] does back.
pub(crate) const LIMITS: [&str; 3] = ["lock_timeout", "statement_timeout", "transaction_timeout"];

/// A key as arguments, as typed literals: a bare one beyond `bigint`'s positive half is `numeric`.
fn arguments(key: Number) -> String {
    let mut first = Buffer::new();
    match key {
        Number::Single(number) => ["pg_catalog.int8'", first.format(number), "'"].concat(),
        Number::Pair(one, two) => {
            let mut second = Buffer::new();
            let (one, two) = (first.format(one), second.format(two));
            ["pg_catalog.int4'", one, "',pg_catalog.int4'", two, "'"].concat()
        }
    }
}

/// A try outside a transaction, which says `transaction` inside one; where the key is held elsewhere it
/// tells the server's `deadlock_timeout`.
pub(crate) fn try_lock(mode: Mode, key: Number) -> String {
    let inside = ["WHEN NOT ", OUTSIDE, " THEN 'transaction' "].concat();
    try_unless(&inside, "pg_try_advisory_lock", mode, key)
}

/// A try inside a transaction begun by hand: refused where that, or the session, holds the key.
pub(crate) fn try_inside(mode: Mode, key: Number) -> String {
    let held = ["WHEN ", &is_held(None, key), " THEN 'held' "].concat();
    try_unless(&held, "pg_try_advisory_lock", mode, key)
}

/// The same for the transaction's own lock.
pub(crate) fn try_xact_lock(mode: Mode, key: Number) -> String {
    let held = ["WHEN ", &is_held(None, key), " THEN 'held' "].concat();
    try_unless(&held, "pg_try_advisory_xact_lock", mode, key)
}

fn try_unless(refusal: &str, function: &str, mode: Mode, key: Number) -> String {
    let (suffix, key) = (mode.suffix(), arguments(key));
    let taken = ["WHEN pg_catalog.", function, suffix, "(", &key, ") THEN 'granted' "].concat();
    let held = "ELSE pg_catalog.current_setting('deadlock_timeout') END";
    ["SELECT CASE ", STANDBY, refusal, &taken, held].concat()
}

pub(crate) fn unlock(mode: Mode, key: Number) -> String {
    let call = unlocking(mode, key);
    ["SELECT CASE WHEN ", &call, " THEN 'released' ELSE 'not held' END"].concat()
}

/// An unlock of what may not be held, which would be a warning in the server's log.
pub(crate) fn unlock_if_held(mode: Mode, key: Number) -> String {
    let (held, call) = (is_held(Some(mode), key), unlocking(mode, key));
    ["SELECT CASE WHEN ", &held, " THEN ", &call, " END"].concat()
}

fn unlocking(mode: Mode, key: Number) -> String {
    ["pg_catalog.pg_advisory_unlock", mode.suffix(), "(", &arguments(key), ")"].concat()
}

/// Whether this session holds the key at all.
pub(crate) fn look(key: Number) -> String {
    ["SELECT ", &is_held(None, key)].concat()
}

/// Asked of the function behind `pg_locks`, which needs no grant on the view.
/// <https://www.postgresql.org/docs/current/view-pg-locks.html> says how keys are shown.
fn is_held(mode: Option<Mode>, key: Number) -> String {
    let (class, object, form) = match key {
        Number::Single(number) => {
            let bits = number.cast_unsigned();
            (bits >> 32, bits & 0xffff_ffff, "1")
        }
        Number::Pair(one, two) => (one.cast_unsigned().into(), two.cast_unsigned().into(), "2"),
    };
    let (mut high, mut low) = (Buffer::new(), Buffer::new());
    let held_in = match mode {
        Some(Mode::Exclusive) => " AND mode OPERATOR(pg_catalog.=) 'ExclusiveLock'",
        Some(Mode::Shared) => " AND mode OPERATOR(pg_catalog.=) 'ShareLock'",
        None => "",
    };
    [
        "EXISTS(SELECT FROM pg_catalog.pg_lock_status() \
         WHERE locktype OPERATOR(pg_catalog.=) 'advisory' AND granted \
         AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() \
         AND classid OPERATOR(pg_catalog.=) pg_catalog.oid'",
        high.format(class),
        "' AND objid OPERATOR(pg_catalog.=) pg_catalog.oid'",
        low.format(object),
        "' AND objsubid OPERATOR(pg_catalog.=) pg_catalog.int2'",
        form,
        "'",
        held_in,
        ")",
    ]
    .concat()
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
/// with it. The session's lock is asked for last, when the transaction's is held or is not to be had: a
/// session's lock that reports a time-out may be held all the same.
///
/// Inside a transaction begun by hand nothing is set, taken or aborted.
pub(crate) fn wait(form: Form, mode: Mode, key: Number, millis: u64) -> String {
    let ok = [OUTSIDE, " AND NOT pg_catalog.pg_is_in_recovery()"].concat();
    let limits = limits(&["CASE WHEN ", &ok, " THEN "].concat(), " END", key, millis);
    let last =
        ["pg_catalog.pg_try_advisory_lock", mode.suffix(), "(", &arguments(key), ")"].concat();
    [
        "SELECT CASE ",
        STANDBY,
        "WHEN ",
        OUTSIDE,
        " THEN 'waits' ELSE 'transaction' END,",
        &limits,
        ";",
        &take(form, mode, key, &ok),
        ";SELECT CASE WHEN ",
        &ok,
        " THEN CASE WHEN ",
        &last,
        " THEN 'granted' ELSE 'timed out' END END",
    ]
    .concat()
}

/// Sets the limits for one wait of so many milliseconds, until the transaction ends. What limits the
/// statement has to be lifted by a statement before it.
fn limits(when: &str, end: &str, key: Number, millis: u64) -> String {
    let mut buffer = Buffer::new();
    let set = |name: &str, value: &str| {
        [when, "pg_catalog.set_config('", name, "','", value, "',true)", end].concat()
    };
    let lift = "CASE WHEN pg_catalog.current_setting('transaction_timeout',true) IS NOT NULL THEN \
                pg_catalog.set_config('transaction_timeout','0',true) END";
    [
        set("lock_timeout", buffer.format(millis)),
        set("statement_timeout", "0"),
        set("dlock.key", &setting(key)),
        [when, lift, end].concat(),
    ]
    .join(",")
}

/// The key as a setting: a text that is the same for each key makes one entry in `pg_stat_statements`.
fn setting(key: Number) -> String {
    match key {
        Number::Single(number) => Buffer::new().format(number).to_owned(),
        Number::Pair(one, two) => format!("{{{one},{two}}}"),
    }
}

/// Takes the transaction's lock where `ok` holds.
fn take(form: Form, mode: Mode, key: Number, ok: &str) -> String {
    let lock = ["pg_catalog.pg_advisory_xact_lock", mode.suffix()].concat();
    match form {
        Form::Plain => {
            ["SELECT CASE WHEN ", ok, " THEN ", &lock, "(", &arguments(key), ") END"].concat()
        }
        // The NULL is where an alarm that comes late is met, inside the block.
        Form::Quiet => [
            "DO 'BEGIN IF ",
            ok,
            " THEN PERFORM ",
            &lock,
            "(",
            from_setting(key),
            "); NULL; END IF; EXCEPTION WHEN lock_not_available THEN NULL; END'",
        ]
        .concat(),
    }
}

/// The key from its setting, inside the quotes of a `DO`.
fn from_setting(key: Number) -> &'static str {
    match key {
        Number::Single(_) => "pg_catalog.current_setting(''dlock.key'')::pg_catalog.int8",
        Number::Pair(..) => {
            "(pg_catalog.current_setting(''dlock.key'')::pg_catalog._int4)[1],\
             (pg_catalog.current_setting(''dlock.key'')::pg_catalog._int4)[2]"
        }
    }
}

/// One slice of a transaction's wait, behind a savepoint. Its first answer tells the limits that it
/// sets aside.
pub(crate) fn wait_in_xact(form: Form, mode: Mode, key: Number, millis: u64) -> String {
    let told = LIMITS.map(|name| ["pg_catalog.current_setting('", name, "',true)"].concat());
    let tried = ["pg_catalog.pg_try_advisory_xact_lock", mode.suffix(), "(", &arguments(key), ")"];
    [
        SAVEPOINT,
        "SELECT ",
        &told.join(","),
        ",",
        &limits("", "", key, millis),
        ";",
        &take(form, mode, key, "true"),
        ";SELECT CASE WHEN ",
        &tried.concat(),
        " THEN 'granted' ELSE 'timed out' END",
    ]
    .concat()
}

/// Puts the limits back that were told, and keeps the grant.
pub(crate) fn restore(limits: &[Option<&str>]) -> String {
    let known = LIMITS.iter().zip(limits).filter_map(|(name, value)| Some((name, (*value)?)));
    let mut text: String =
        known.map(|(name, value)| format!("SET LOCAL {name}='{value}';")).collect();
    text.push_str("RELEASE SAVEPOINT dlock");
    text
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
            text.split(';').find(|part| part.starts_with("DO")).unwrap().to_owned()
        };
        assert_eq!(block(Number::Single(1)), block(Number::Single(2)));
        assert_eq!(block(Number::Pair(1, 2)), block(Number::Pair(3, -4)));
    }
}
