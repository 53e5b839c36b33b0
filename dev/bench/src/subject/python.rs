//! sqlalchemy-dlock, in a Python process that is told what to do line by line.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{Connecting, Lap, Subject};
use crate::eye::Eye;
use crate::place::{Database, Place};
use crate::venv;

const KEY: u32 = 4_243_000;

/// The process; it ends with this.
struct Python {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

/// Starts the process and has it open so many connections.
pub(super) fn connect(place: Place, count: u32) -> Connecting {
    async move {
        let mut python = Python::start()?;
        let (key, url) = (KEY, url(place)?);
        python.ask(json!({"do": "connect", "url": url, "key": key, "connections": count})).await?;
        Ok(Box::new(python) as Box<dyn Subject>)
    }
    .boxed()
}

fn url(place: Place) -> Result<String> {
    let driver = match place.database {
        Database::Postgres => "postgresql+asyncpg",
        Database::Mysql | Database::Mariadb => "mysql+aiomysql",
        Database::Mssql | Database::Oracle => bail!("the Python peer has no driver for it"),
    };
    let url = place.url();
    let (_, rest) = url.split_once(':').context("a URL has a scheme")?;
    Ok(format!("{driver}:{rest}"))
}

impl Python {
    fn start() -> Result<Self> {
        let python = venv::python().context("the Python peers are not set up")?;
        let mut command = Command::new(python);
        command.arg(venv::PEER).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("starting the Python peer")?;
        let input = child.stdin.take().context("an input")?;
        let output = BufReader::new(child.stdout.take().context("an output")?).lines();
        Ok(Self { _child: child, input, output })
    }

    async fn ask(&mut self, command: Value) -> Result<Value> {
        self.input.write_all(format!("{command}\n").as_bytes()).await?;
        let line = self.output.next_line().await?.context("the Python peer has ended")?;
        let answer: Value = serde_json::from_str(&line)?;
        if let Some(error) = answer.get("error").and_then(Value::as_str) {
            bail!("{error}");
        }
        Ok(answer)
    }

    async fn order(&mut self, what: &str) -> Result<Value> {
        self.ask(json!({ "do": what })).await
    }

    async fn hand_over(&mut self, eye: &mut Eye) -> Result<Duration> {
        self.order("acquire").await?;
        self.order("wait").await?;
        eye.until(1).await?;
        seconds(&self.order("hand_over").await?, "wall")
    }
}

fn seconds(answer: &Value, name: &str) -> Result<Duration> {
    let seconds = answer.get(name).and_then(Value::as_f64).context("a time")?;
    Ok(Duration::try_from_secs_f64(seconds)?)
}

impl Subject for Python {
    fn renew(&mut self) -> BoxFuture<'_, Result<()>> {
        async { Ok(()) }.boxed()
    }

    fn pairs(&mut self, count: u32) -> BoxFuture<'_, Result<Lap>> {
        async move {
            let answer = self.ask(json!({"do": "pairs", "count": count})).await?;
            Ok(Lap { wall: seconds(&answer, "wall")?, cpu: seconds(&answer, "cpu")? })
        }
        .boxed()
    }

    fn hand_overs<'a>(&'a mut self, eye: &'a mut Eye) -> BoxFuture<'a, Result<[Duration; 2]>> {
        async move { Ok([self.hand_over(eye).await?, self.hand_over(eye).await?]) }.boxed()
    }

    fn time_out(&mut self, limit: Duration) -> BoxFuture<'_, Result<Option<Duration>>> {
        async move {
            self.order("acquire").await?;
            let command = json!({"do": "time_out", "seconds": limit.as_secs_f64()});
            let answer = self.ask(command).await?;
            ensure!(answer["acquired"] == json!(false), "it acquired a lock that is held");
            self.order("release").await?;
            seconds(&answer, "wall").map(Some)
        }
        .boxed()
    }

    fn memory<'a>(&'a mut self, _eye: &'a mut Eye) -> BoxFuture<'a, Result<Option<i64>>> {
        async { Ok(None) }.boxed()
    }

    fn acquire(&mut self) -> BoxFuture<'_, Result<()>> {
        async move { self.order("acquire").await.map(drop) }.boxed()
    }

    fn release(&mut self) -> BoxFuture<'_, Result<()>> {
        async move { self.order("release").await.map(drop) }.boxed()
    }

    fn dropped<'a>(
        &'a mut self,
        eye: &'a mut Eye,
        limit: Duration,
    ) -> BoxFuture<'a, Result<Option<Duration>>> {
        async move {
            self.order("acquire").await?;
            self.order("wait").await?;
            eye.until(1).await?;
            self.order("drop").await?;
            let forgotten = eye.within(0, limit).await;
            self.order("release").await?;
            self.order("discard").await?;
            eye.until(0).await?;
            forgotten
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::url;
    use crate::place::{Database, Place};

    #[test]
    fn the_peer_names_its_driver() {
        let of = |database| url(Place { database, port: 1 });
        let postgres = of(Database::Postgres).expect("a URL");
        assert_eq!(postgres, "postgresql+asyncpg://postgres@127.0.0.1:1/postgres");
        assert_eq!(
            of(Database::Mariadb).expect("a URL"),
            "mysql+aiomysql://dlock@127.0.0.1:1/dlock"
        );
        of(Database::Mssql).expect_err("none");
    }
}
