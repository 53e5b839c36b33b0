use super::{Id, Outcome, Report, Roster};
use crate::record::Record;
use anyhow::Result;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::sleep;

/// How often it is looked for what has taken too long.
const TICK: Duration = Duration::from_millis(100);

/// Serves a roster on loopback for as long as the runtime lives; broken promises go to the record.
///
/// # Errors
/// Returns an error if there is no port.
pub async fn serve(record: Record) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let desk = Desk { state: Arc::default(), record };
    tokio::spawn(desk.clone().tick());
    tokio::spawn(async move {
        for connection in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(desk.clone().listen(connection, stream));
        }
    });
    Ok(address)
}

type Words = HashMap<u64, UnboundedSender<u64>>;

#[derive(Clone, Debug)]
struct Desk {
    state: Arc<Mutex<(Roster, Words)>>,
    record: Record,
}

impl Desk {
    async fn tick(self) {
        loop {
            sleep(TICK).await;
            self.tell(|roster| roster.tick(Instant::now()));
        }
    }

    async fn listen(self, connection: u64, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let (input, output) = stream.into_split();
        let (sender, words) = mpsc::unbounded_channel();
        self.state().1.insert(connection, sender);
        tokio::spawn(write(words, output));
        let mut lines = BufReader::new(input).lines();
        // The last line of one that was killed may be cut short.
        while let Ok(Some(line)) = lines.next_line().await {
            let Ok(report) = serde_json::from_str::<Report>(&line) else { break };
            self.tell(|roster| roster.report(connection, report, Instant::now()));
        }
        self.state().1.remove(&connection);
        self.tell(|roster| roster.died(connection, Instant::now()));
        Ok(())
    }

    fn tell(&self, change: impl FnOnce(&mut Roster) -> Outcome) {
        let Outcome { go, violations } = {
            let (roster, words) = &mut *self.state();
            let outcome = change(roster);
            outcome.go.iter().for_each(|id| go_on(words, *id));
            outcome
        };
        drop(go);
        violations.into_iter().for_each(|what| self.record.violation(what));
    }

    fn state(&self) -> MutexGuard<'_, (Roster, Words)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn go_on(words: &Words, (connection, stay): Id) {
    if let Some(words) = words.get(&connection) {
        // One that has ended is noticed by its connection.
        let _ = words.send(stay);
    }
}

async fn write(mut words: UnboundedReceiver<u64>, mut output: OwnedWriteHalf) -> Result<()> {
    while let Some(word) = words.recv().await {
        output.write_all(format!("{word}\n").as_bytes()).await?;
    }
    Ok(())
}
