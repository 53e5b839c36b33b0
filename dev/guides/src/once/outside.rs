use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::Client;
use std::time::Duration;

type Error = Box<dyn std::error::Error + Send + Sync>;

const IS_DONE: &str = "SELECT count(*) > 0 FROM job_done WHERE job = $1";
const DONE: &str = "INSERT INTO job_done VALUES ($1)";

/// `true`: it was done here.
pub async fn once(
    locks: &Locks,
    client: &Client,
    job: &str,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<bool, Error> {
    let held = locks.lock_within(format!("job:{job}"), Duration::from_secs(600)).await?;
    let is_done: bool = client.query_one(IS_DONE, &[&job]).await?.get(0); // under the lock
    if !is_done {
        held.run_until_lost(work).await??;
        held.must_have(Duration::from_secs(1))?;
        client.execute(DONE, &[&job]).await?;
    }
    held.release().await?;
    Ok(!is_done)
}
