use dlock_db::postgres::Held;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction};
use sea_orm::{DbBackend, Statement, TransactionTrait};

type Error = Box<dyn std::error::Error + Send + Sync>;

const IDLE: &str = "SET LOCAL idle_in_transaction_session_timeout='30000'";
const FENCE: &str = "SELECT f.n AS fence,(SELECT b.n FROM public.dlock_bid AS b
      WHERE b.key OPERATOR(pg_catalog.=) f.key) AS bid
    FROM public.dlock_fence AS f WHERE f.key OPERATOR(pg_catalog.=) $1 FOR SHARE OF f";

/// A transaction that is refused to a holder who is not the last.
pub async fn begin(
    held: &Held,
    database: &DatabaseConnection,
) -> Result<DatabaseTransaction, Error> {
    let token = i64::try_from(held.token().ok_or("not fenced")?)?;
    let key = held.key().number().to_string();
    let fence = Statement::from_sql_and_values(DbBackend::Postgres, FENCE, [key.into()]);
    let transaction = database.begin().await?;
    transaction.execute_unprepared(IDLE).await?;
    let row = transaction.query_one(fence).await?.ok_or("refused")?;
    let (fence, bid): (i64, Option<i64>) = (row.try_get("", "fence")?, row.try_get("", "bid")?);
    match fence == token && bid.is_some_and(|bid| bid <= token) {
        true => Ok(transaction),
        false => Err("lost: somebody else holds the key by now".into()), // dropped: rolled back
    }
}
