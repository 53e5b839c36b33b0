use crate::locks::{ServerError, Wire};
use crate::statement;
use std::time::Duration;
use tiberius::Client;
use tiberius::error::Error as Native;
use tokio::time::{sleep, timeout};

/// "Process ID %d is not an active process ID", and "… is not a valid process ID".
const NONE: [u32; 2] = [6106, 6101];
/// How often it is looked whether a session has ended.
const LOOKS: Duration = Duration::from_millis(5);
/// How long a session may take to end.
pub(crate) const ENDING: Duration = Duration::from_secs(5);

/// Ends a session, and completes when the server has let go. `false`: there is none of this number.
pub(crate) async fn kill(client: &mut Client<Wire>, number: i32) -> Result<bool, ServerError> {
    match run(client, statement::kill(number)).await {
        Err(Native::Server(said)) if NONE.contains(&said.code()) => return Ok(false),
        killed => killed?,
    };
    let ended = timeout(ENDING, async {
        while run(client, statement::session(number)).await? > 0 {
            sleep(LOOKS).await;
        }
        Ok(true)
    });
    ended.await.unwrap_or(Err(ServerError::NotEnded))
}

/// How many rows it was answered with.
async fn run(client: &mut Client<Wire>, text: String) -> Result<usize, Native> {
    let results = client.simple_query(text).await?.into_results().await?;
    Ok(results.iter().map(Vec::len).sum())
}
