//! The system views.

use crate::datum::{Datum, Type};
use crate::engine::{DATABASES, Engine, State};
use crate::function::database_id;
use crate::locks::{Owner, Resource, Scope};
use crate::mode::Mode;
use crate::property::time;
use crate::query::Found;

const TEXT: Type = Type::NVarChar(4000);

const SESSIONS: [(&str, Type); 9] = [
    ("session_id", Type::Int),
    ("host_name", TEXT),
    ("program_name", TEXT),
    ("login_name", TEXT),
    ("status", TEXT),
    ("is_user_process", Type::Bit),
    ("open_transaction_count", Type::Int),
    ("database_id", Type::Int),
    ("last_request_start_time", Type::Float),
];

const REQUESTS: [(&str, Type); 6] = [
    ("session_id", Type::Int),
    ("status", TEXT),
    ("wait_type", TEXT),
    ("wait_time", Type::Int),
    ("blocking_session_id", Type::Int),
    ("open_transaction_count", Type::Int),
];

const LOCKS: [(&str, Type); 10] = [
    ("resource_type", TEXT),
    ("resource_subtype", TEXT),
    ("resource_database_id", Type::Int),
    ("resource_description", TEXT),
    ("request_mode", TEXT),
    ("request_type", TEXT),
    ("request_status", TEXT),
    ("request_reference_count", Type::Int),
    ("request_session_id", Type::Int),
    ("request_owner_type", TEXT),
];

/// What a system view shows, `None` when there is none of that name.
pub(crate) fn view(engine: &Engine, name: &str) -> Option<Found> {
    let state = engine.state();
    match name {
        "sys.dm_tran_locks" => Some(locks(&state)),
        "sys.dm_exec_sessions" => Some(sessions(&state)),
        "sys.dm_exec_requests" => Some(requests(&state)),
        "sys.databases" => Some(databases(engine)),
        "sys.tables" => Some(tables(&state)),
        _ => None,
    }
}

fn columns(named: &[(&str, Type)]) -> Vec<(String, Type)> {
    named.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect()
}

fn number(value: impl Into<i64>) -> Datum {
    Datum::Integer(Type::Int, Some(value.into()))
}

fn locks(state: &State) -> Found {
    let mut rows = Vec::new();
    for (resource, entry) in &state.locks.entries {
        for grant in &entry.granted {
            let count = grant.count.into();
            rows.push(lock(resource, grant.owner, grant.mode, "GRANT", count));
        }
        for waiting in &entry.queue {
            let status = if waiting.converts { "CONVERT" } else { "WAIT" };
            rows.push(lock(resource, waiting.owner, waiting.mode, status, 0));
        }
    }
    Found { columns: columns(&LOCKS), rows }
}

fn lock(resource: &Resource, owner: Owner, mode: Mode, status: &str, count: i64) -> Vec<Datum> {
    let ends_with = match owner.scope {
        Scope::Session => "SESSION",
        Scope::Transaction => "TRANSACTION",
    };
    vec![
        Datum::text("APPLICATION"),
        Datum::text(""),
        database_id(resource.database),
        Datum::text(&description(resource)),
        Datum::text(mode.short()),
        Datum::text("LOCK"),
        Datum::text(status),
        number(count),
        number(owner.session),
        Datum::text(ends_with),
    ]
}

/// The principal's number, up to 32 characters of the name, and a hash of all of it.
fn description(resource: &Resource) -> String {
    let principal = crate::applock::PRINCIPALS
        .iter()
        .find(|(name, _)| *name == resource.principal)
        .map_or(0, |(_, id)| *id);
    let shown = String::from_utf16_lossy(&resource.name[..resource.name.len().min(32)]);
    let hash = resource
        .name
        .iter()
        .fold(0x811C_9DC5_u32, |hash, unit| (hash ^ u32::from(*unit)).wrapping_mul(0x0100_0193));
    format!("{principal}:[{shown}]:({hash:08x})")
}

fn sessions(state: &State) -> Found {
    let rows = state.sessions.iter().map(|(id, session)| {
        vec![
            number(*id),
            Datum::text(&session.host),
            Datum::text(&session.program),
            Datum::text(&session.user),
            Datum::text(if session.running { "running" } else { "sleeping" }),
            Datum::Integer(Type::Bit, Some(1)),
            number(session.transactions),
            database_id(session.database),
            time(session.since),
        ]
    });
    Found { rows: rows.collect(), columns: columns(&SESSIONS) }
}

/// The sessions that run something; those that wait for a lock with what they wait for.
fn requests(state: &State) -> Found {
    let running = state.sessions.iter().filter(|(_, session)| session.running);
    let rows = running.map(|(id, session)| {
        let queues = state.locks.entries.values().flat_map(|entry| &entry.queue);
        let wait = queues.into_iter().find(|wait| wait.owner.session == *id);
        let blocker = state.locks.blockers(*id).first().copied().unwrap_or_default();
        let since = wait.map_or(0, |wait| wait.since.elapsed().as_millis());
        vec![
            number(*id),
            Datum::text(if wait.is_some() { "suspended" } else { "running" }),
            Datum::Text(TEXT, wait.map(|wait| format!("LCK_M_{}", wait.mode.short()))),
            number(i32::try_from(since).unwrap_or(i32::MAX)),
            number(blocker),
            number(session.transactions),
        ]
    });
    Found { rows: rows.collect(), columns: columns(&REQUESTS) }
}

fn databases(engine: &Engine) -> Found {
    // The server makes them all when it starts.
    let row = |name: &&str| vec![database_id(name), Datum::text(name), time(engine.started)];
    Found {
        columns: columns(&[
            ("database_id", Type::Int),
            ("name", TEXT),
            ("create_date", Type::Float),
        ]),
        rows: DATABASES.iter().map(row).collect(),
    }
}

fn tables(state: &State) -> Found {
    Found {
        columns: columns(&[("name", TEXT)]),
        rows: state.tables.keys().map(|name| vec![Datum::text(name)]).collect(),
    }
}
