use dlock_db::postgres::Key;
use sqlx::PgPool;

pub async fn pay(pool: &PgPool, id: i64) -> Result<(), sqlx::Error> {
    let key = Key::from(format!("invoice:{id}")).number().to_string();
    let mut transaction = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1::text::bigint)")
        .bind(key)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0")
        .bind(id)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await // and the key is free
}
