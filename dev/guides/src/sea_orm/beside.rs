use dlock_db::postgres::Locks;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement, TransactionTrait};

pub async fn pay(
    locks: &Locks,
    database: &DatabaseConnection,
    id: i64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let held = locks.lock(format!("invoice:{id}")).await?; // the key first, the connection after
    let paying = async {
        let transaction = database.begin().await?;
        let update = "UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0";
        let update = Statement::from_sql_and_values(DbBackend::Postgres, update, [id.into()]);
        transaction.execute(update).await?;
        transaction.commit().await
    };
    held.run_until_lost(paying).await??; // dropped, and so rolled back, should the lock be lost first
    held.release().await?;
    Ok(())
}
