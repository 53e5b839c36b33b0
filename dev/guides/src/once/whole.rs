use dlock_db::postgres::Locks;
use dlock_db::postgres::tokio_postgres::Client;

type Error = Box<dyn std::error::Error + Send + Sync>;

// `job` is the primary key.
const DONE: &str = "INSERT INTO job_done VALUES ($1) ON CONFLICT DO NOTHING";
const WORK: &str = "UPDATE account SET balance = balance + 1";

/// `true`: it was done here.
pub async fn once(locks: &Locks, client: &mut Client, job: &str) -> Result<bool, Error> {
    let held = locks.key(format!("job:{job}"))?.fenced().lock().await?;
    let transaction = held.begin(client).await?; // `Lost`, where somebody else has had the key since
    let is_new = transaction.execute(DONE, &[&job]).await? == 1;
    if is_new {
        transaction.execute(WORK, &[]).await?;
    }
    transaction.commit().await?; // the work and the row, or neither
    held.release().await?;
    Ok(is_new)
}
