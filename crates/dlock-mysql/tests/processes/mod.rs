//! Who is connected to a server, and what for.
//!
//! Not from `information_schema`: MariaDB makes a temporary table of that, and 10.11.19 has died in
//! dropping one (`ha_maria::drop_table`).

use dlock_mysql::mysql_async::prelude::Queryable;
use dlock_mysql::mysql_async::{Conn, Result, Row};

/// A connection, as an administrator sees it.
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) statement: String,
    state: String,
}

/// All of them.
pub(crate) async fn processes(conn: &mut Conn) -> Result<Vec<Process>> {
    let rows: Vec<Row> = conn.query("SHOW FULL PROCESSLIST").await?;
    Ok(rows.iter().filter_map(process).collect())
}

fn process(row: &Row) -> Option<Process> {
    let text = |name| row.get::<Option<String>, _>(name).flatten().unwrap_or_default();
    Some(Process { id: row.get("Id")?, statement: text("Info"), state: text("State") })
}

impl Process {
    /// Whether it runs `SELECT SLEEP`.
    #[allow(dead_code, reason = "only one of the two suites asks")]
    pub(crate) fn sleeps(&self) -> bool {
        self.state == "User sleep"
    }

    /// Whether it waits for a lock of this name, by a statement of ours or by hand.
    pub(crate) fn awaits(&self, key: &str) -> bool {
        let names = [hex(key), format!("'{key}'")];
        self.state == "User lock" && names.iter().any(|name| self.statement.contains(name))
    }
}

/// The name in hexadecimal, as it stands in the statements of locks.
fn hex(key: &str) -> String {
    key.bytes().map(|byte| format!("{byte:02x}")).collect()
}
