//! Who holds, who waits, and ending their sessions.

use super::statement::{self, Shown};
use super::{Server, ServerSession, check};
use crate::mode::shown;
use crate::{Error, Key, Mode, answer};
use dlock_locks::{Finding, Holder, InspectDriver, SessionOptions};
use oracle::Connection;
use std::thread;
use std::time::{Duration, Instant};

/// How long a session may take to end, and how often it is looked whether it has.
const ENDING: Duration = Duration::from_secs(10);
const LOOKS: Duration = Duration::from_millis(10);

impl InspectDriver for Server {
    /// Of every instance of the database. A session that waits to convert what it holds is there twice.
    async fn holders(
        session: &ServerSession,
        key: Option<&Key>,
    ) -> Result<Vec<Holder<Key>>, Error> {
        let id = key.map(Key::id);
        let rows = session.caller().try_call(move |it| statement::holders(it, id)).await?;
        Ok(rows.map_err(answer::look)?.iter().flat_map(holders).collect())
    }

    async fn end_session(session: &ServerSession, number: &str) -> Result<bool, Error> {
        let Some(address) = address(number) else { return Ok(false) };
        let number = number.to_owned();
        let ended = session.caller().try_call(move |it| end(it, address, &number)).await?;
        ended.map_err(answer::look)?.ok_or(Error::Interrupted(None))
    }

    async fn check(&self, options: &SessionOptions) -> Result<Vec<Finding>, Error> {
        check::check(self, options).await
    }
}

fn holders(row: &Shown) -> impl Iterator<Item = Holder<Key>> {
    let holds = shown(row.1).map(|mode| holder(row, mode, false));
    holds.into_iter().chain(shown(row.2).map(|mode| holder(row, mode, true)))
}

fn holder(row: &Shown, mode: Mode, is_waiting: bool) -> Holder<Key> {
    let (id, _, _, seconds, address, user, host, program, module) = row.clone();
    let mut holder = Holder::new(Key::shown(id), mode.into(), is_waiting, address);
    (holder.user, holder.host) = (user, host);
    holder.application = module.or(program);
    holder.since = Some(Duration::from_secs(seconds));
    holder
}

/// `sid,serial#,@instance`
fn address(number: &str) -> Option<[u32; 3]> {
    let (session, instance) = number.split_once(",@")?;
    let (sid, serial) = session.split_once(',')?;
    Some([sid.parse().ok()?, serial.parse().ok()?, instance.parse().ok()?])
}

/// Whether there was such a session. `None`: it is ending, and has not let go in time.
fn end(connection: &Connection, address: [u32; 3], number: &str) -> oracle::Result<Option<bool>> {
    match statement::end_session(connection, address) {
        Err(error) if answer::is_no_session(&error) => return Ok(Some(false)),
        Err(error) if !answer::is_marked(&error) => return Err(error),
        _ => {}
    }
    let begun = Instant::now();
    while begun.elapsed() < ENDING {
        if statement::has_let_go(connection, number)? {
            return Ok(Some(true));
        }
        thread::sleep(LOOKS);
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_is_three_numbers_and_nothing_else() {
        assert_eq!(address("12,345,@1"), Some([12, 345, 1]));
        for wrong in ["", "12", "12,345", "12,@1", "1,2,@1' IMMEDIATE", "-1,2,@1", "1,2,@1,@1"] {
            assert_eq!(address(wrong), None, "{wrong}");
        }
    }
}
