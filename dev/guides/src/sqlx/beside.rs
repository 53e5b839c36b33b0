use dlock_db::postgres::Locks;
use sqlx::PgPool;

pub async fn pay(
    locks: &Locks,
    pool: &PgPool,
    id: i64,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let held = locks.lock(format!("invoice:{id}")).await?; // the key first, the connection after
    let paying = async {
        let mut transaction = pool.begin().await?;
        sqlx::query("UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    };
    held.run_until_lost(paying).await??; // dropped, and so rolled back, should the lock be lost first
    held.release().await?;
    Ok(())
}
