use dlock_db::postgres::Held;
use sqlx::{PgPool, PgTransaction};

type Error = Box<dyn std::error::Error + Send + Sync>;

const IDLE: &str = "SET LOCAL idle_in_transaction_session_timeout='30000'";
const FENCE: &str = "SELECT f.n,(SELECT b.n FROM public.dlock_bid AS b
      WHERE b.key OPERATOR(pg_catalog.=) f.key)
    FROM public.dlock_fence AS f WHERE f.key OPERATOR(pg_catalog.=) $1 FOR SHARE OF f";

/// A transaction that is refused to a holder who is not the last.
pub async fn begin(held: &Held, pool: &PgPool) -> Result<PgTransaction<'static>, Error> {
    let token = i64::try_from(held.token().ok_or("not fenced")?)?;
    let mut transaction = pool.begin().await?;
    sqlx::query(IDLE).execute(&mut *transaction).await?;
    let (fence, bid): (i64, Option<i64>) = sqlx::query_as(FENCE)
        .bind(held.key().number().to_string())
        .fetch_one(&mut *transaction) // no row: refused
        .await?;
    match fence == token && bid.is_some_and(|bid| bid <= token) {
        true => Ok(transaction),
        false => Err("lost: somebody else holds the key by now".into()), // dropped: rolled back
    }
}
