//! The raw driver, which blocks: on a thread of its own, or on the runtime's.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use oracle::Connection;
use oracle::sql_type::{OracleType, ToSql};
use tokio::sync::oneshot;

use super::connection;
use crate::locker::Locker;
use crate::place::Place;

/// What this library sends, to the letter: a test compares.
const REQUEST: &str = "\
DECLARE
  since CONSTANT NUMBER := DBMS_UTILITY.GET_TIME;
  answer INTEGER;
BEGIN
  answer := SYS.DBMS_LOCK.REQUEST(
    id => :id, lockmode => :lockmode, timeout => :seconds, release_on_commit => (:on_commit = 1));
  WHILE answer = 1 AND MOD(DBMS_UTILITY.GET_TIME - since + 4294967296, 4294967296) <= :hundredths LOOP
    SYS.DBMS_LOCK.SLEEP(0.01);
    answer := SYS.DBMS_LOCK.REQUEST(
      id => :id, lockmode => :lockmode, timeout => 0, release_on_commit => (:on_commit = 1));
  END LOOP;
  :answer := answer;
END;";

/// The same.
const RELEASE: &str = "\
BEGIN
  :answer := SYS.DBMS_LOCK.RELEASE(id => :id);
END;";

/// The mode X.
const EXCLUSIVE: i64 = 6;
/// A slice of a wait without end: seconds in the queue, and no tries after it.
const FOREVER: [i64; 2] = [5, -1];

fn call(connection: &Connection, block: &str, given: &[(&str, i64)]) -> oracle::Result<i64> {
    let mut binds: Vec<(&str, &dyn ToSql)> = vec![("answer", &OracleType::Int64)];
    binds.extend(given.iter().map(|(name, value)| (*name, value as &dyn ToSql)));
    connection.execute_named(block, &binds)?.bind_value("answer")
}

/// A call: what it asks for, and of which lock.
#[derive(Clone, Copy)]
enum Call {
    Request { id: i64, spans: [i64; 2] },
    Release { id: i64 },
}

impl Call {
    fn run(self, connection: &Connection) -> oracle::Result<i64> {
        match self {
            Self::Request { id, spans: [seconds, hundredths] } => {
                let mode = ("lockmode", EXCLUSIVE);
                let spans = [("seconds", seconds), ("hundredths", hundredths)];
                let given = [("id", id), mode, spans[0], spans[1], ("on_commit", 0)];
                call(connection, REQUEST, &given)
            }
            Self::Release { id } => call(connection, RELEASE, &[("id", id)]),
        }
    }
}

/// Whether a code of `DBMS_LOCK` says yes.
fn granted(code: i64) -> Result<bool> {
    match code {
        0 => Ok(true),
        1 => Ok(false),
        code => bail!("refused: {code}"),
    }
}

/// The blocks and binds of a time-out below a second.
fn spans(limit: Duration) -> Result<[i64; 2]> {
    Ok([0, i64::try_from(limit.as_millis().div_ceil(10))?])
}

type Job = (Call, oneshot::Sender<oracle::Result<i64>>);

/// The raw driver on a thread of its own, which sends what this library sends.
pub(crate) struct Raw {
    id: i64,
    jobs: Sender<Job>,
}

fn serve(connection: &Connection, jobs: &Receiver<Job>) {
    for (call, answer) in jobs {
        // Whoever asked may have gone.
        let _ = answer.send(call.run(connection));
    }
}

impl Raw {
    async fn ask(&self, call: Call) -> Result<bool> {
        let (sender, answer) = oneshot::channel();
        self.jobs.send((call, sender)).ok().context("the thread has ended")?;
        granted(answer.await??)
    }
}

impl Locker for Raw {
    type Source = Place;

    async fn connect(_place: &Place, key: u32) -> Result<Self> {
        let connection = connection()?;
        let (jobs, inbox) = channel();
        thread::spawn(move || serve(&connection, &inbox));
        Ok(Self { id: key.into(), jobs })
    }

    async fn acquire(&mut self) -> Result<()> {
        let call = Call::Request { id: self.id, spans: FOREVER };
        while !self.ask(call).await? {}
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(Call::Release { id: self.id }).await.map(drop)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        self.ask(Call::Request { id: self.id, spans: spans(limit)? }).await.map(Some)
    }
}

/// The raw driver as it is first written: each call on a thread of the runtime's.
pub(crate) struct Naive {
    id: i64,
    connection: Arc<Connection>,
}

impl Naive {
    async fn ask(&self, call: Call) -> Result<bool> {
        let connection = Arc::clone(&self.connection);
        granted(tokio::task::spawn_blocking(move || call.run(&connection)).await??)
    }
}

impl Locker for Naive {
    type Source = Place;

    async fn connect(_place: &Place, key: u32) -> Result<Self> {
        Ok(Self { id: key.into(), connection: Arc::new(connection()?) })
    }

    async fn acquire(&mut self) -> Result<()> {
        let call = Call::Request { id: self.id, spans: FOREVER };
        while !self.ask(call).await? {}
        Ok(())
    }

    async fn release(&mut self) -> Result<()> {
        self.ask(Call::Release { id: self.id }).await.map(drop)
    }

    async fn acquire_within(&mut self, limit: Duration) -> Result<Option<bool>> {
        self.ask(Call::Request { id: self.id, spans: spans(limit)? }).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::{RELEASE, REQUEST};

    #[test]
    fn the_blocks_are_those_of_this_library() {
        let source = include_str!("../../../../../crates/dlock-oracle/src/statement.rs");
        assert!(source.contains(REQUEST) && source.contains(RELEASE));
    }
}
