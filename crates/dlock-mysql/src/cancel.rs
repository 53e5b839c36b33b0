use crate::answer::Answer;
use futures::FutureExt;
use futures::future::BoxFuture;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Row};
use std::future::Future;
use std::time::Duration;

/// How long to wait before the list of statements is read again.
const AGAIN: Duration = Duration::from_millis(5);

/// What runs on the server. `information_schema.PROCESSLIST` would say the same, but MariaDB makes a
/// temporary table of it.
const LIST: &str = "SHOW FULL PROCESSLIST";

/// A statement that waits on the server, seen from elsewhere.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    opts: Opts,
    /// The server's number of the connection. Behind a proxy it may be another's, so the statement
    /// is looked at, too.
    id: u32,
    statement: &'a str,
}

impl<'a> Waiter<'a> {
    /// The statement that this connection is about to send.
    pub(crate) fn new(conn: &Conn, statement: &'a str) -> Self {
        Self { opts: conn.opts().clone(), id: conn.id(), statement }
    }

    /// Ends the wait and brings its answer; `None` when the server cannot be told.
    ///
    /// Rare and large: in a box, and never inlined, it takes no room where a wait is polled.
    #[inline(never)]
    pub(crate) fn end(
        self,
        answer: impl Future<Output = Answer> + Send + Unpin + 'a,
    ) -> BoxFuture<'a, Option<Answer>> {
        self.cancel(answer).boxed()
    }

    async fn cancel(self, mut answer: impl Future<Output = Answer> + Unpin) -> Option<Answer> {
        let found = tokio::select! {
            biased;
            answer = &mut answer => return Some(answer),
            found = self.find() => found,
        };
        let mut killer = found.ok()?;
        // Once it is sent, the KILL is waited for as well: it may not come upon a later statement.
        let kill = killer.query_drop(format!("KILL QUERY {}", self.id));
        let (answer, killed) = tokio::join!(answer, kill);
        drop(killed);
        Some(answer)
    }

    /// A second connection, on which the statement is seen to run.
    async fn find(&self) -> mysql_async::Result<Conn> {
        let mut conn = Conn::new(self.opts()).await?;
        while !conn.query::<Row, _>(LIST).await?.iter().any(|row| self.is(row)) {
            tokio::time::sleep(AGAIN).await;
        }
        Ok(conn)
    }

    fn is(&self, row: &Row) -> bool {
        let id = row.get_opt::<u32, _>("Id").and_then(Result::ok);
        let [command, text] =
            ["Command", "Info"].map(|name| row.get_opt::<Vec<u8>, _>(name).and_then(Result::ok));
        let is_ours = text.is_some_and(|text| text == self.statement.as_bytes());
        id == Some(self.id) && is_ours && command.is_some_and(|command| command != b"Prepare")
    }

    /// The same server and user, and nothing beyond: no look at settings, no initial statements.
    fn opts(&self) -> OptsBuilder {
        OptsBuilder::from_opts(self.opts.clone())
            .prefer_socket(false)
            .init(Vec::<String>::new())
            .setup(Vec::<String>::new())
            .max_allowed_packet(Some(1 << 20))
            .wait_timeout(Some(60))
    }
}

#[cfg(test)]
mod tests {
    use super::Waiter;
    use dlock_testkit::server::{Engine, Maria, Mysql, Server};
    use mysql_async::Conn;
    use mysql_async::prelude::Queryable;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn mysql_shows_the_statement_that_runs() {
        finds_what_runs::<Mysql>().await;
    }

    #[tokio::test]
    async fn mariadb_shows_the_statement_that_runs() {
        finds_what_runs::<Maria>().await;
    }

    /// Behind a proxy the number may be another's connection, whose statement is not to be killed.
    async fn finds_what_runs<E: Engine>() {
        let mut conn = Conn::from_url(Server::<E>::shared().unwrap().url()).await.unwrap();
        let (ours, another) = ("SELECT SLEEP(0.4)", "SELECT SLEEP(0.5)");
        let right = Waiter::new(&conn, ours);
        let wrong = Waiter::new(&conn, another);
        let running = tokio::spawn(async move { conn.query_drop(ours).await });
        assert!(right.find().await.is_ok());
        assert!(timeout(Duration::from_millis(100), wrong.find()).await.is_err());
        running.await.unwrap().unwrap();
    }
}
