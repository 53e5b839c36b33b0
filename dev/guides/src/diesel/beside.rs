use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use dlock_db::postgres::Locks;

pub async fn pay(
    locks: &Locks,
    connection: &mut AsyncPgConnection,
    id: i64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let held = locks.lock(format!("invoice:{id}")).await?;
    let paying = connection.transaction(async |connection| {
        sql_query("UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0")
            .bind::<BigInt, _>(id)
            .execute(connection)
            .await
    });
    held.run_until_lost(paying).await??; // dropped should the lock be lost first
    held.release().await?;
    Ok(())
}
