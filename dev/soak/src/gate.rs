//! Where the tasks of a worker stand still while the locks are counted.

use tokio::sync::watch;

/// The tasks' side of the gate.
#[derive(Clone, Debug)]
pub struct Gate {
    shut: watch::Receiver<bool>,
    parked: watch::Sender<u64>,
}

/// The supervisor's side.
#[derive(Debug)]
pub struct Keeper {
    shut: watch::Sender<bool>,
    parked: watch::Receiver<u64>,
}

impl Gate {
    /// An open gate, and who shuts it.
    #[must_use]
    pub fn new() -> (Keeper, Self) {
        let (shut, is_shut) = watch::channel(false);
        let (park, parked) = watch::channel(0);
        (Keeper { shut, parked }, Self { shut: is_shut, parked: park })
    }

    /// Passes; stands still first while the gate is shut.
    pub async fn pass(&mut self) {
        if !*self.shut.borrow_and_update() {
            return;
        }
        self.parked.send_modify(|parked| *parked += 1);
        // Without a keeper the worker is about to end.
        let _ = self.shut.wait_for(|shut| !shut).await;
        self.parked.send_modify(|parked| *parked -= 1);
    }
}

impl Keeper {
    /// Shuts or opens the gate.
    pub fn shut(&self, shut: bool) {
        self.shut.send_replace(shut);
    }

    /// Waits until so many tasks stand still.
    pub async fn parked(&mut self, tasks: u64) {
        let _ = self.parked.wait_for(|parked| *parked >= tasks).await;
    }
}
