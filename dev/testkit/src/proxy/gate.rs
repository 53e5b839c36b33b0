//! Whether bytes pass.

use tokio::sync::watch;

/// What a proxy does with the bytes that arrive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gate {
    /// They pass.
    Open,
    /// They wait.
    Shut,
    /// They are lost, and so is every connection that sees this.
    Lost,
}

/// Waits until bytes may pass; `false` if they never will.
pub(super) async fn passes(gate: &mut watch::Receiver<Gate>) -> bool {
    let gate = gate.wait_for(|gate| *gate != Gate::Shut).await;
    gate.is_ok_and(|gate| *gate == Gate::Open)
}

/// Waits until the connection is lost.
pub(super) async fn lost(mut gate: watch::Receiver<Gate>) {
    if gate.wait_for(|gate| *gate == Gate::Lost).await.is_err() {
        std::future::pending().await
    }
}
