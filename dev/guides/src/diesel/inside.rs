use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use dlock_db::postgres::Key;

pub async fn pay(connection: &mut AsyncPgConnection, id: i64) -> diesel::QueryResult<usize> {
    let key = Key::from(format!("invoice:{id}")).number().to_string();
    let paying = connection.transaction(async |connection| {
        sql_query("SELECT pg_advisory_xact_lock($1::text::bigint)")
            .bind::<Text, _>(key)
            .execute(connection)
            .await?;
        sql_query("UPDATE invoice SET paid = paid + 1 WHERE id = $1 AND paid = 0")
            .bind::<BigInt, _>(id)
            .execute(connection)
            .await
    });
    paying.await // and the key is free
}
