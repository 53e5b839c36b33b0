//! Every text that goes to the server on a session of [`Locks`](crate::Locks), beside those of a lock.

use crate::Mode;
use crate::key::Number;
use crate::statement::{Form, OUTSIDE, STANDBY, call_set, limits};

/// Tries and releases of many keys: `$1` is the key or its first half, `$2` its other half or NULL, `$3`
/// whether it is tried, `$4` whether it is shared, `$5` the turnstile that a reader has to pass, which is
/// given back before the key is tried.
pub(super) const BATCH: &str = "SELECT CASE WHEN t IS NULL THEN NULL \
     WHEN CASE WHEN NOT t OR q IS NULL THEN false \
     WHEN pg_catalog.pg_try_advisory_lock_shared(q) \
     THEN NOT pg_catalog.pg_advisory_unlock_shared(q) ELSE true END THEN false \
     WHEN b IS NULL THEN CASE \
     WHEN t AND s THEN pg_catalog.pg_try_advisory_lock_shared(a) \
     WHEN t THEN pg_catalog.pg_try_advisory_lock(a) \
     WHEN s THEN pg_catalog.pg_advisory_unlock_shared(a) \
     ELSE pg_catalog.pg_advisory_unlock(a) END \
     WHEN t AND s THEN pg_catalog.pg_try_advisory_lock_shared(a::pg_catalog.int4,b) \
     WHEN t THEN pg_catalog.pg_try_advisory_lock(a::pg_catalog.int4,b) \
     WHEN s THEN pg_catalog.pg_advisory_unlock_shared(a::pg_catalog.int4,b) \
     ELSE pg_catalog.pg_advisory_unlock(a::pg_catalog.int4,b) END \
     FROM ROWS FROM (pg_catalog.unnest($1),pg_catalog.unnest($2),pg_catalog.unnest($3),\
     pg_catalog.unnest($4),pg_catalog.unnest($5)) AS x(a,b,t,s,q)";

/// Which server, database and process this is, and what became of the start-up options.
pub(super) const SESSION: &str = "SELECT pg_catalog.pg_is_in_recovery() AS is_standby,\
     pg_catalog.concat(pg_catalog.pg_postmaster_start_time(),' ',pg_catalog.inet_server_addr(),' ',\
     pg_catalog.inet_server_port(),' ',pg_catalog.current_database()) AS server,\
     pg_catalog.pg_backend_pid() AS pid,\
     pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,\
     pg_catalog.current_setting('search_path') OPERATOR(pg_catalog.=) 'pg_catalog' \
     AND pg_catalog.current_setting('lock_timeout') OPERATOR(pg_catalog.=) '0' \
     AND pg_catalog.current_setting('statement_timeout') OPERATOR(pg_catalog.=) '0' AS is_clean,\
     pg_catalog.current_setting('idle_session_timeout',true) AS lease";

/// The process that runs a transaction while it is open.
pub(super) const PID_IN_TRANSACTION: &str = "BEGIN;SELECT pg_catalog.pg_backend_pid()";

/// The turnstile and the milliseconds of a slice, as they were set.
const PASSING: &str = "(pg_catalog.current_setting('dlock.turnstile',true)::pg_catalog._int8)";

/// A slice of a reader's wait: first for the turnstile, then for the key in the time that is left.
///
/// The last statement takes both at once where the transaction has them, and passes the turnstile in every
/// other case too.
pub(super) fn wait_behind(form: Form, key: Number, turnstile: i64, millis: u64) -> String {
    let limits = limits(key, millis);
    let take = take_behind(form, key);
    let last = call_set("pg_try_advisory_lock", Mode::Shared, key);
    format!(
        "SELECT pg_catalog.set_config('dlock.turnstile','{{{turnstile},{millis}}}',true);\
         SELECT CASE {STANDBY} WHEN {OUTSIDE} THEN {limits} ELSE 'transaction' END;{take};\
         SELECT CASE WHEN pg_catalog.pg_try_advisory_xact_lock_shared({PASSING}[1]) THEN {last} \
         ELSE false END"
    )
}

fn take_behind(form: Form, key: Number) -> String {
    let pass = format!("pg_catalog.pg_advisory_xact_lock_shared({PASSING}[1])");
    let taken = call_set("pg_advisory_xact_lock", Mode::Shared, key);
    let left = left();
    match form {
        Form::Plain => format!("SELECT {pass};SELECT {left};SELECT {taken}"),
        Form::Quiet => format!(
            "DO 'BEGIN PERFORM {}; PERFORM {}; PERFORM {}; NULL; \
             EXCEPTION WHEN lock_not_available THEN NULL; END'",
            pass.replace('\'', "''"),
            left.replace('\'', "''"),
            taken.replace('\'', "''")
        ),
    }
}

/// Sets the limit of the second wait to what the first has left of the slice.
fn left() -> String {
    let passed = "(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) \
                  pg_catalog.statement_timestamp()) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8";
    format!(
        "pg_catalog.set_config('lock_timeout',\
         GREATEST({PASSING}[2] OPERATOR(pg_catalog.-) {passed},1)::pg_catalog.text,true)"
    )
}

/// Makes the tables of fences. The names are in `public` for those who write their own fences; what may be
/// done with them: SELECT, INSERT and UPDATE.
pub(super) const DDL: &str = "CREATE TABLE IF NOT EXISTS public.dlock_bid \
     (key text COLLATE \"C\" PRIMARY KEY, n bigint NOT NULL);\n\
     CREATE TABLE IF NOT EXISTS public.dlock_fence \
     (key text COLLATE \"C\" PRIMARY KEY, n bigint NOT NULL);";

/// The limits and what makes a raise last: a role may have `synchronous_commit` off.
fn limited(millis: u64) -> String {
    format!(
        "SELECT pg_catalog.set_config('statement_timeout','{millis}',true),\
         CASE WHEN pg_catalog.current_setting('synchronous_commit') OPERATOR(pg_catalog.=) 'off' \
         THEN pg_catalog.set_config('synchronous_commit','on',true) END"
    )
}

/// Raises the bid beyond every fence there was.
pub(super) fn raise_bid(key: Number, millis: u64) -> String {
    let limited = limited(millis);
    format!(
        "{limited};INSERT INTO public.dlock_bid AS b (key,n) SELECT '{key}',1 OPERATOR(pg_catalog.+) \
         COALESCE((SELECT f.n FROM public.dlock_fence AS f \
         WHERE f.key OPERATOR(pg_catalog.=) '{key}'),0) \
         ON CONFLICT (key) DO UPDATE SET n = \
         GREATEST(b.n OPERATOR(pg_catalog.+) 1,excluded.n) RETURNING b.n"
    )
}

/// Raises the fence to this bid.
pub(super) fn raise_fence(key: Number, bid: u64, millis: u64) -> String {
    let limited = limited(millis);
    format!(
        "{limited};INSERT INTO public.dlock_fence AS f (key,n) VALUES ('{key}',{bid}) \
         ON CONFLICT (key) DO UPDATE SET n = \
         GREATEST(f.n OPERATOR(pg_catalog.+) 1,excluded.n) RETURNING f.n"
    )
}

/// Whether a message is outside a transaction begun by hand.
pub(super) fn is_outside() -> String {
    format!("SELECT {OUTSIDE}")
}

/// The first statement of a transaction that may sleep: the bid is read, and the fence locked against a raise
/// and read. SET takes no snapshot.
pub(super) fn fence(key: Number, idle: u64) -> String {
    format!(
        "SET LOCAL idle_in_transaction_session_timeout='{idle}';\
         SELECT f.n,(SELECT b.n FROM public.dlock_bid AS b \
         WHERE b.key OPERATOR(pg_catalog.=) f.key) \
         FROM public.dlock_fence AS f WHERE f.key OPERATOR(pg_catalog.=) '{key}' FOR SHARE OF f"
    )
}

/// Who holds and who waits for advisory locks of this database; `$1`, `$2` and `$3` are a key as
/// `pg_locks` shows it, or NULL. What this role may not see is NULL.
/// <https://www.postgresql.org/docs/current/view-pg-locks.html>
pub(super) const HOLDERS: &str = "SELECT l.classid AS class,l.objid AS object,\
     l.objsubid::pg_catalog.int4 AS form,l.mode AS mode,l.granted AS is_granted,l.pid AS pid,\
     a.usename::pg_catalog.text AS role,\
     CASE WHEN a.client_addr IS NOT NULL THEN pg_catalog.host(a.client_addr) \
     WHEN a.client_port OPERATOR(pg_catalog.=) -1 THEN 'local' END AS host,\
     a.application_name AS application,\
     (EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) \
     COALESCE((pg_catalog.to_jsonb(l) OPERATOR(pg_catalog.->>) 'waitstart')::pg_catalog.timestamptz,\
     a.state_change)) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8 AS since \
     FROM pg_catalog.pg_lock_status() AS l \
     LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid OPERATOR(pg_catalog.=) l.pid \
     WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' \
     AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d \
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()) \
     AND ($1 IS NULL OR l.classid OPERATOR(pg_catalog.=) $1) \
     AND ($2 IS NULL OR l.objid OPERATOR(pg_catalog.=) $2) \
     AND ($3 IS NULL OR l.objsubid OPERATOR(pg_catalog.=) $3) \
     ORDER BY l.classid,l.objid,l.objsubid,l.granted DESC,since DESC NULLS LAST,l.pid";

/// The process of this session, and when it was begun.
pub(super) const PROCESS: &str = "SELECT pg_catalog.pg_backend_pid(),\
     EXTRACT(epoch FROM a.backend_start)::pg_catalog.text \
     FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a";

/// Ends a process that was begun then, or whenever; when it was begun. No row: there is none.
pub(super) const TERMINATE: &str = "SELECT pg_catalog.pg_terminate_backend(a.pid),\
     EXTRACT(epoch FROM a.backend_start)::pg_catalog.text \
     FROM pg_catalog.pg_stat_get_activity($1) AS a \
     WHERE $2 IS NULL OR EXTRACT(epoch FROM a.backend_start)::pg_catalog.text \
     OPERATOR(pg_catalog.=) $2";

/// Whether that process is there.
pub(super) const IS_THERE: &str = "SELECT EXISTS(SELECT FROM pg_catalog.pg_stat_get_activity($1) AS a \
     WHERE COALESCE(EXTRACT(epoch FROM a.backend_start)::pg_catalog.text \
     OPERATOR(pg_catalog.=) $2,true))";

/// What the check-up looks at.
pub(super) const CHECK: &str = "SELECT \
     pg_catalog.has_function_privilege('pg_catalog.pg_lock_status()','EXECUTE') AS can_look,\
     pg_catalog.pg_has_role('pg_signal_backend','MEMBER') AS can_end,\
     (EXTRACT(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000)\
     ::pg_catalog.int8 AS clock,\
     pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 \
     OPERATOR(pg_catalog.*) (pg_catalog.current_setting('max_connections')::pg_catalog.int8 \
     OPERATOR(pg_catalog.+) \
     pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8) AS room,\
     pg_catalog.current_setting('server_version') AS version,\
     pg_catalog.current_setting('idle_session_timeout',true) AS lease";

/// How many locks there are in the server's table, those of tables that are fast among them.
pub(super) const COUNT: &str = "SELECT pg_catalog.count(*) FROM pg_catalog.pg_lock_status() AS l \
     WHERE NOT l.fastpath";

#[cfg(test)]
mod tests {
    use super::{Form, wait_behind};
    use crate::key::Number;

    /// `pg_stat_statements` keeps each text of a utility statement.
    #[test]
    fn the_block_of_a_wait_is_the_same_for_each_key() {
        let block = |key, turnstile, millis| {
            let text = wait_behind(Form::Quiet, key, turnstile, millis);
            let start = text.find("DO '").unwrap();
            text[start..text.find("END'").unwrap()].to_owned()
        };
        assert_eq!(block(Number::Single(1), 7, 30), block(Number::Single(2), 8, 40));
        assert_eq!(block(Number::Pair(1, 2), 7, 30), block(Number::Pair(3, -4), 8, 40));
    }
}
