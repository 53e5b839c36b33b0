//! What a lock can be made over.

use crate::answer::{Native, queue};
use crate::halves::Session;
use crate::key::Key;
use crate::{Advisory, Lock, Postgres, XactLock};
use dlock_core::{ByMut, ByRef, Lend};
use std::sync::{Arc, Weak};
use tokio_postgres::{Client, SimpleQueryStream, Transaction};

/// A session that a lock can be made over: a client, borrowed, shared or owned; both halves of a session
/// ([`Session`]); an object of a pool (features `deadpool`, `bb8`).
pub trait AsSession: Sized {
    /// What the lock keeps.
    type Kept: Send + Sync;
    /// How it lends the client.
    type Lend: Lend;

    /// Whether nobody else speaks over the session while the lock has it: what stands in the way of a
    /// release at the end of a scope may then be rolled back.
    const IS_ALONE: bool;

    /// Hands it to a lock.
    fn keep(self) -> Self::Kept;

    /// Takes it back.
    fn give_back(kept: Self::Kept) -> Option<Self>;

    /// The client.
    fn client(kept: &Self::Kept) -> &Client;

    /// The client as it is lent.
    fn lend(kept: &mut Self::Kept) -> <Self::Lend as Lend>::Of<'_, Client>;

    /// What the background may speak over, where it can keep it.
    #[doc(hidden)]
    fn link(kept: &Self::Kept) -> Option<Arc<dyn Link>>;

    /// The session whose connection is driven here.
    #[doc(hidden)]
    fn halves(_kept: &Self::Kept) -> Option<&Session> {
        None
    }
}

/// A session as the background keeps it.
pub trait Link: Send + Sync {
    /// Queues a message; `None` where the session is nobody's any more.
    fn say(&self, text: &str) -> Option<Result<SimpleQueryStream, Native>>;

    /// Whether somebody else gets the session next.
    fn is_pooled(&self) -> bool;
}

/// What leads to a client.
pub(crate) trait Speaks: Send + Sync + 'static {
    /// Whether it goes back to a pool.
    const IS_POOLED: bool = false;

    /// The client.
    fn client(&self) -> &Client;
}

impl Speaks for Client {
    fn client(&self) -> &Client {
        self
    }
}

/// One that is the lock's, and lives until the background is done with it.
struct Owned<T>(Arc<T>);

impl<T: Speaks> Link for Owned<T> {
    fn say(&self, text: &str) -> Option<Result<SimpleQueryStream, Native>> {
        Some(queue(self.0.client(), text))
    }

    fn is_pooled(&self) -> bool {
        T::IS_POOLED
    }
}

/// One that is shared with its user, and lives as long as that.
struct Shared<T>(Weak<T>);

impl<T: Speaks> Link for Shared<T> {
    fn say(&self, text: &str) -> Option<Result<SimpleQueryStream, Native>> {
        Some(queue(self.0.upgrade()?.client(), text))
    }

    fn is_pooled(&self) -> bool {
        false
    }
}

pub(crate) fn owned<T: Speaks>(kept: &Arc<T>) -> Option<Arc<dyn Link>> {
    Some(Arc::new(Owned(Arc::clone(kept))))
}

pub(crate) fn shared<T: Speaks>(kept: &Arc<T>) -> Option<Arc<dyn Link>> {
    Some(Arc::new(Shared(Arc::downgrade(kept))))
}

/// What an owned session is said to be between two calls: nothing in the background has it then.
pub(crate) const ALONE: &str = "a session is lent when nothing is in flight";

impl<'a> AsSession for &'a Client {
    type Kept = &'a Client;
    type Lend = ByRef;

    const IS_ALONE: bool = false;

    fn keep(self) -> &'a Client {
        self
    }

    fn give_back(kept: &'a Client) -> Option<Self> {
        Some(kept)
    }

    fn client<'s>(kept: &'s &'a Client) -> &'s Client {
        kept
    }

    fn lend<'s>(kept: &'s mut &'a Client) -> &'s Client {
        kept
    }

    fn link(_: &&'a Client) -> Option<Arc<dyn Link>> {
        None
    }
}

impl<'a> AsSession for &'a mut Client {
    type Kept = &'a mut Client;
    type Lend = ByMut;

    const IS_ALONE: bool = true;

    fn keep(self) -> &'a mut Client {
        self
    }

    fn give_back(kept: &'a mut Client) -> Option<Self> {
        Some(kept)
    }

    fn client<'s>(kept: &'s &'a mut Client) -> &'s Client {
        kept
    }

    fn lend<'s>(kept: &'s mut &'a mut Client) -> &'s mut Client {
        kept
    }

    fn link(_: &&'a mut Client) -> Option<Arc<dyn Link>> {
        None
    }
}

impl AsSession for Arc<Client> {
    type Kept = Self;
    type Lend = ByRef;

    const IS_ALONE: bool = false;

    fn keep(self) -> Self {
        self
    }

    fn give_back(kept: Self) -> Option<Self> {
        Some(kept)
    }

    fn client(kept: &Self) -> &Client {
        kept
    }

    fn lend(kept: &mut Self) -> &Client {
        kept
    }

    fn link(kept: &Self) -> Option<Arc<dyn Link>> {
        shared(kept)
    }
}

impl AsSession for Client {
    /// At one address while the lock has it: its name in the registry.
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

impl dlock_core::Session<Postgres> for Client {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for Arc<Client> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for &Client {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl dlock_core::Session<Postgres> for &mut Client {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        Lock::from_raw(Advisory::of(self, key))
    }
}

impl<'a> dlock_core::Session<Postgres> for &'a Transaction<'a> {
    type Lock = XactLock<'a>;
    type Key = Key;
    type Error = Native;

    fn into_lock(self, key: Key) -> Self::Lock {
        XactLock::from_raw(crate::Xact::of(self, key))
    }
}
