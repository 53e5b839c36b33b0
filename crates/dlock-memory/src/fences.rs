use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The bids and the fences of all keys, and the transactions that are open behind them.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    keys: HashMap<String, Fence>,
    open: HashMap<u64, Open>,
    transactions: u64,
    ended: watch::Sender<()>,
}

/// What the server keeps of a key for ever.
#[derive(Debug, Default)]
struct Fence {
    bid: u64,
    number: u64,
}

/// A transaction that is open.
#[derive(Debug)]
struct Open {
    key: String,
    since: Instant,
    /// How long it may be idle.
    idle: Duration,
}

impl Fences {
    /// Raises the bid: from now on no transaction begins behind an older fence.
    pub(crate) fn bid(&mut self, key: &str) -> u64 {
        let fence = self.keys.entry(key.to_owned()).or_default();
        fence.bid += 1;
        fence.bid
    }

    /// Raises the fence to a bid. `None`: a transaction behind an older one is open.
    pub(crate) fn raise(&mut self, key: &str, bid: u64) -> Option<u64> {
        if self.open.values().any(|open| open.key == key) {
            return None;
        }
        let fence = self.keys.get_mut(key)?;
        fence.number = bid;
        Some(bid)
    }

    /// Begins a transaction, and says its number. `None`: a later holder has raised the bid.
    pub(crate) fn begin(&mut self, key: &str, token: u64, idle: Duration) -> Option<u64> {
        let fence = self.keys.get(key)?;
        if fence.number != token || fence.bid > token {
            return None;
        }
        self.transactions += 1;
        let open = Open { key: key.to_owned(), since: Instant::now(), idle };
        self.open.insert(self.transactions, open);
        Some(self.transactions)
    }

    pub(crate) fn is_open(&self, transaction: u64) -> bool {
        self.open.contains_key(&transaction)
    }

    /// Ends a transaction. `false`: it had ended before.
    pub(crate) fn end(&mut self, transaction: u64) -> bool {
        let was_open = self.open.remove(&transaction).is_some();
        if was_open {
            self.ended.send_replace(());
        }
        was_open
    }

    /// Ends those that were idle for too long.
    pub(crate) fn end_idle(&mut self) {
        let idle = self.open.iter().filter(|(_, open)| open.since.elapsed() >= open.idle);
        for transaction in Vec::from_iter(idle.map(|(number, _)| *number)) {
            self.end(transaction);
        }
    }

    /// Told whenever a transaction ends.
    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.ended.subscribe()
    }
}
