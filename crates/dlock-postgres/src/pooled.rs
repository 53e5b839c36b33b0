//! Objects of pools as owned sessions: given back clean, or ended.

use crate::session::HasClient;
use crate::{Lock, Postgres};
use tokio_postgres::Client;

#[cfg(feature = "deadpool")]
impl HasClient for deadpool_postgres::Object {
    fn client(&self) -> &Client {
        self
    }

    fn client_mut(&mut self) -> &mut Client {
        self
    }
}

#[cfg(feature = "deadpool")]
impl dlock_core::Session<Postgres> for deadpool_postgres::Object {
    type Lock = Lock<Self>;
}

/// A connection of `bb8`'s that owns its pool: what `Pool::get_owned` gives.
#[cfg(feature = "bb8")]
type Bb8<M> = bb8::PooledConnection<'static, M>;

#[cfg(feature = "bb8")]
impl<M: bb8::ManageConnection<Connection = Client>> HasClient for Bb8<M> {
    fn client(&self) -> &Client {
        self
    }

    fn client_mut(&mut self) -> &mut Client {
        self
    }
}

#[cfg(feature = "bb8")]
impl<M: bb8::ManageConnection<Connection = Client>> dlock_core::Session<Postgres> for Bb8<M> {
    type Lock = Lock<Self>;
}
