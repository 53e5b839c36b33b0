use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use dlock_db::postgres::Held;

type Error = Box<dyn std::error::Error + Send + Sync>;

const IDLE: &str = "SET LOCAL idle_in_transaction_session_timeout='30000'";
const FENCE: &str = "SELECT f.n AS fence,(SELECT b.n FROM public.dlock_bid AS b
      WHERE b.key OPERATOR(pg_catalog.=) f.key) AS bid
    FROM public.dlock_fence AS f WHERE f.key OPERATOR(pg_catalog.=) $1 FOR SHARE OF f";

#[derive(QueryableByName)]
struct Fence {
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    bid: Option<i64>,
}

/// First in a transaction: an error where somebody else has had the key since. Roll back then.
pub async fn fence(held: &Held, connection: &mut AsyncPgConnection) -> Result<(), Error> {
    let token = i64::try_from(held.token().ok_or("not fenced")?)?;
    sql_query(IDLE).execute(connection).await?;
    let key = held.key().number().to_string();
    let query = sql_query(FENCE).bind::<Text, _>(key);
    let Fence { fence, bid } = query.get_result(connection).await?; // no row: refused
    match fence == token && bid.is_some_and(|bid| bid <= token) {
        true => Ok(()),
        false => Err("lost: somebody else holds the key by now".into()),
    }
}
