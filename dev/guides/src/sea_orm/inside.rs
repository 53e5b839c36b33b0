use dlock_db::postgres::Key;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};

const LOCK: &str = "SELECT pg_advisory_xact_lock($1::text::bigint)";
const PAY: &str = "UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0";

pub async fn pay(database: &DatabaseConnection, id: i64) -> Result<(), DbErr> {
    let key = Key::from(format!("invoice:{id}")).number().to_string();
    let lock = Statement::from_sql_and_values(DbBackend::Postgres, LOCK, [key.into()]);
    let pay = Statement::from_sql_and_values(DbBackend::Postgres, PAY, [id.into()]);
    let transaction = database.begin().await?;
    transaction.execute(lock).await?;
    transaction.execute(pay).await?;
    transaction.commit().await // and the key is free
}
