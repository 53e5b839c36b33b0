use crate::answer::code;
use crate::locks::session::Look;
use crate::locks::{Server, ServerError, Wire};
use crate::statement;
use dlock_locks::check::locks_nothing;
use dlock_locks::{Finding, Severity};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tiberius::error::Error as Native;
use tiberius::{Client, FromSqlOwned, ToSql};

/// Every database server has these; names in them are everybody's.
const SYSTEM: [&str; 4] = ["master", "model", "msdb", "tempdb"];
/// The first major version that has all that is asked here: SQL Server 2012.
const OLDEST: u32 = 11;
/// From when on a difference of clocks is told.
const APART: Duration = Duration::from_secs(5);
/// The midnight from which the server is asked to count, in seconds of Unix time.
const MIDNIGHT: u64 = 946_684_800;

/// Looks for what would make locks lie here.
pub(crate) async fn check(server: &Server, name: &str) -> Result<Vec<Finding>, ServerError> {
    let (mut one, mut other) = (server.dial(name).await?.0, server.dial(name).await?.0);
    let looks = [look(&mut one).await?, look(&mut other).await?];
    let mut found = Vec::from_iter(several_servers(&looks));
    found.extend(read_only(&looks));
    found.extend(system_database(&looks[0]));
    found.extend(lock(&mut one, &mut other).await?);
    found.extend(permissions(&mut one).await);
    found.extend(version(&mut one).await);
    found.extend(clock(&mut one).await);
    Ok(found)
}

async fn look(client: &mut Client<Wire>) -> Result<Look, ServerError> {
    Look::of(client.simple_query(statement::LOOK).await?.into_row().await?)
}

/// The first value of an answer.
async fn first<T: FromSqlOwned>(
    client: &mut Client<Wire>,
    text: &str,
    parameters: &[&dyn ToSql],
) -> Result<Option<T>, Native> {
    let row = client.query(text, parameters).await?.into_row().await?;
    Ok(row.and_then(|row| row.into_iter().next()).map(T::from_sql_owned).transpose()?.flatten())
}

fn several_servers(looks: &[Look; 2]) -> Option<Finding> {
    let [one, other] = looks;
    (one.server != other.server).then(|| {
        Finding::new(
            Severity::Fault,
            "several-servers",
            format!("Two connections were to `{}` and to `{}`.", one.server, other.server),
            "A lock on one server excludes nobody on another.",
            "Connect to one server, or to the listener of the primary.",
        )
    })
}

fn read_only(looks: &[Look; 2]) -> Option<Finding> {
    looks.iter().any(|look| look.is_read_only).then(|| {
        Finding::new(
            Severity::Fault,
            "read-only",
            "The database is read-only here.",
            "A lock on a replica excludes nobody on the primary.",
            "Connect to the primary; leave ApplicationIntent=ReadOnly out.",
        )
    })
}

fn system_database(look: &Look) -> Option<Finding> {
    SYSTEM.contains(&look.database.to_lowercase().as_str()).then(|| {
        Finding::new(
            Severity::Note,
            "system-database",
            format!("The connection is to the database `{}`.", look.database),
            "A name counts within one database: who connects to another one takes another lock.",
            "Name the same database wherever the same locks are meant.",
        )
    })
}

/// Takes a key on one session, and looks from the other.
async fn lock(
    one: &mut Client<Wire>,
    other: &mut Client<Wire>,
) -> Result<Option<Finding>, ServerError> {
    let key = format!("dlock check {:016x}", fastrand::u64(..));
    let taken = first::<i32>(one, statement::WAIT, &[&key, &"Exclusive", &0]).await;
    let refusal = match &taken {
        Ok(Some(0 | 1)) => None,
        Ok(code) => Some(format!("returned {}", code.unwrap_or(code::REFUSED))),
        Err(Native::Server(said)) => Some(format!("failed: {}", said.message())),
        Err(_) => return Err(ServerError::from(taken.expect_err("an error"))),
    };
    if let Some(refusal) = refusal {
        return Ok(Some(cannot_lock(&refusal)));
    }
    let is_free = first::<i32>(other, statement::IS_FREE, &[&key]).await? == Some(1);
    Ok(is_free.then(|| locks_nothing("Connect to SQL Server itself.")))
}

fn cannot_lock(refusal: &str) -> Finding {
    Finding::new(
        Severity::Fault,
        "cannot-lock",
        format!("sp_getapplock {refusal}."),
        "No lock can be had.",
        "Grant EXECUTE on sys.sp_getapplock and sys.sp_releaseapplock to the user, or to `public`.",
    )
}

/// What the server does not know is not told.
async fn permissions(client: &mut Client<Wire>) -> Vec<Finding> {
    let mut found = Vec::new();
    let seen = async { client.simple_query(statement::HOLDERS).await?.into_results().await };
    if let Err(error) = seen.await {
        found.push(Finding::new(
            Severity::Warning,
            "no-view-server-state",
            format!("The locks of others are not shown: {error}."),
            "`holders`, `holder` and `free` do not work.",
            "GRANT VIEW SERVER STATE to the login; from SQL Server 2022 on VIEW SERVER PERFORMANCE STATE.",
        ));
    }
    if let Ok(Some(0)) = first::<i32>(client, statement::MAY_KILL, &[]).await {
        found.push(Finding::new(
            Severity::Note,
            "no-kill",
            "The login may not end the sessions of others.",
            "`free` does not work, nor does `abort` on a lock that is held alone.",
            "GRANT ALTER ANY CONNECTION to the login.",
        ));
    }
    found
}

async fn version(client: &mut Client<Wire>) -> Option<Finding> {
    let version = first::<String>(client, statement::VERSION, &[]).await.ok()??;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    (major < OLDEST).then(|| {
        Finding::new(
            Severity::Fault,
            "old-server",
            format!("The server is of version {version}."),
            "It does not understand all that it is asked.",
            "Use SQL Server 2012 or later.",
        )
    })
}

async fn clock(client: &mut Client<Wire>) -> Option<Finding> {
    let theirs = first::<i32>(client, statement::CLOCK, &[]).await.ok()??;
    let theirs = UNIX_EPOCH + Duration::from_secs(MIDNIGHT + u64::try_from(theirs).ok()?);
    let apart = SystemTime::now().duration_since(theirs).unwrap_or_else(|error| error.duration());
    (apart > APART).then(|| {
        Finding::new(
            Severity::Note,
            "clock",
            format!("The server's clock and the one here are {} seconds apart.", apart.as_secs()),
            "No lock depends on it here, but times in logs and lists do.",
            "Let both follow the same time server.",
        )
    })
}
