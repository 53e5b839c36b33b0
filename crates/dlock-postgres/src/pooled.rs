//! Objects of pools as owned sessions: given back clean, or ended.

use crate::answer::Native;
use crate::session::{ALONE, AsSession, Link, Speaks, owned};
use crate::{Advisory, Key, Lock, Postgres};
use dlock_core::ByMut;
use std::sync::Arc;
use tokio_postgres::Client;

#[cfg(feature = "deadpool")]
impl Speaks for deadpool_postgres::Object {
    const IS_POOLED: bool = true;

    fn client(&self) -> &Client {
        self
    }
}

#[cfg(feature = "deadpool")]
impl AsSession for deadpool_postgres::Object {
    type Kept = Arc<Self>;
    type Lend = ByMut;

    const IS_ALONE: bool = true;

    fn keep(self) -> Arc<Self> {
        Arc::new(self)
    }

    fn give_back(kept: Arc<Self>) -> Option<Self> {
        Arc::into_inner(kept)
    }

    fn client(kept: &Arc<Self>) -> &Client {
        kept
    }

    fn lend(kept: &mut Arc<Self>) -> &mut Client {
        Arc::get_mut(kept).expect(ALONE)
    }

    fn link(kept: &Arc<Self>) -> Option<Arc<dyn Link>> {
        owned(kept)
    }
}

#[cfg(feature = "deadpool")]
impl dlock_core::Session<Postgres> for deadpool_postgres::Object {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

/// An object of `bb8`'s that owns its pool: what `Pool::get_owned` gives.
#[cfg(feature = "bb8")]
type Bb8<M> = bb8::PooledConnection<'static, M>;

#[cfg(feature = "bb8")]
impl<M> Speaks for Bb8<M>
where
    M: bb8::ManageConnection<Connection = Client>,
{
    const IS_POOLED: bool = true;

    fn client(&self) -> &Client {
        self
    }
}

#[cfg(feature = "bb8")]
impl<M> AsSession for Bb8<M>
where
    M: bb8::ManageConnection<Connection = Client>,
{
    type Kept = Arc<Self>;
    type Lend = ByMut;

    const IS_ALONE: bool = true;

    fn keep(self) -> Arc<Self> {
        Arc::new(self)
    }

    fn give_back(kept: Arc<Self>) -> Option<Self> {
        Arc::into_inner(kept)
    }

    fn client(kept: &Arc<Self>) -> &Client {
        kept
    }

    fn lend(kept: &mut Arc<Self>) -> &mut Client {
        Arc::get_mut(kept).expect(ALONE)
    }

    fn link(kept: &Arc<Self>) -> Option<Arc<dyn Link>> {
        owned(kept)
    }
}

#[cfg(feature = "bb8")]
impl<M> dlock_core::Session<Postgres> for Bb8<M>
where
    M: bb8::ManageConnection<Connection = Client>,
{
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}
