//! What a lock can be made over.

use crate::answer::{Native, queue};
use crate::halves::Session;
use crate::{Lock, Postgres, XactLock};
use dlock_core::{ByMut, ByRef, Lend};
use std::fmt;
use std::sync::{Arc, Weak};
use tokio_postgres::{Client, SimpleQueryStream, Transaction};

/// A session that a lock can be made over: `&Client`, `&mut Client`, and whatever [`HasClient`], owned or
/// in an `Arc`.
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
    fn link(_kept: &Self::Kept) -> Option<Link> {
        None
    }

    /// The session whose connection is driven here.
    #[doc(hidden)]
    fn halves(_kept: &Self::Kept) -> Option<&Session> {
        None
    }
}

/// What owns a client: the client itself, a [`Session`], an object of a pool.
///
/// It goes along with the lock, and comes back by `into_session`. Implement it for the objects of a pool
/// of your own.
pub trait HasClient: Send + Sync + 'static {
    /// The client.
    fn client(&self) -> &Client;

    /// The client, to be used by nobody else meanwhile.
    fn client_mut(&mut self) -> &mut Client;

    /// Whether somebody else gets the session once this is dropped: then a session that may still hold a
    /// key is ended before.
    fn is_pooled(&self) -> bool {
        true
    }

    #[doc(hidden)]
    fn halves(&self) -> Option<&Session> {
        None
    }
}

/// A session as the background keeps it.
pub enum Link {
    /// The lock's own: it lives until the background is done with it.
    Owned(Arc<dyn HasClient>),
    /// Shared with its user: it lives as long as that.
    Shared(Weak<dyn HasClient>),
}

impl Link {
    /// Queues a message; `None` where the session is nobody's any more.
    pub(crate) fn say(&self, text: &str) -> Option<Result<SimpleQueryStream, Native>> {
        match self {
            Link::Owned(owned) => Some(queue(owned.client(), text)),
            Link::Shared(shared) => Some(queue(shared.upgrade()?.client(), text)),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Link")
    }
}

impl HasClient for Client {
    fn client(&self) -> &Client {
        self
    }

    fn client_mut(&mut self) -> &mut Client {
        self
    }

    fn is_pooled(&self) -> bool {
        false
    }
}

impl<T: HasClient> AsSession for T {
    /// At one address while the lock has it: its name in the registry.
    type Kept = Arc<T>;
    type Lend = ByMut;

    const IS_ALONE: bool = true;

    fn keep(self) -> Arc<T> {
        Arc::new(self)
    }

    fn give_back(kept: Arc<T>) -> Option<T> {
        Arc::into_inner(kept)
    }

    fn client(kept: &Arc<T>) -> &Client {
        T::client(kept)
    }

    fn lend(kept: &mut Arc<T>) -> &mut Client {
        Arc::get_mut(kept).expect("nothing in the background has it").client_mut()
    }

    fn link(kept: &Arc<T>) -> Option<Link> {
        Some(Link::Owned(Arc::clone(kept) as Arc<dyn HasClient>))
    }

    fn halves(kept: &Arc<T>) -> Option<&Session> {
        T::halves(kept)
    }
}

impl<T: HasClient> AsSession for Arc<T> {
    type Kept = Self;
    type Lend = ByRef;

    const IS_ALONE: bool = false;

    fn keep(self) -> Self {
        if let Some(session) = T::halves(&self) {
            session.share();
        }
        self
    }

    fn give_back(kept: Self) -> Option<Self> {
        Some(kept)
    }

    fn client(kept: &Self) -> &Client {
        T::client(kept)
    }

    fn lend(kept: &mut Self) -> &Client {
        T::client(kept)
    }

    fn link(kept: &Self) -> Option<Link> {
        Some(Link::Shared(Arc::downgrade(kept) as Weak<dyn HasClient>))
    }

    fn halves(kept: &Self) -> Option<&Session> {
        T::halves(kept)
    }
}

impl<'a> AsSession for &'a Client {
    type Kept = Self;
    type Lend = ByRef;

    const IS_ALONE: bool = false;

    fn keep(self) -> Self {
        self
    }

    fn give_back(kept: Self) -> Option<Self> {
        Some(kept)
    }

    fn client<'s>(kept: &'s &'a Client) -> &'s Client {
        kept
    }

    fn lend<'s>(kept: &'s mut &'a Client) -> &'s Client {
        kept
    }
}

impl<'a> AsSession for &'a mut Client {
    type Kept = Self;
    type Lend = ByMut;

    const IS_ALONE: bool = true;

    fn keep(self) -> Self {
        self
    }

    fn give_back(kept: Self) -> Option<Self> {
        Some(kept)
    }

    fn client<'s>(kept: &'s &'a mut Client) -> &'s Client {
        kept
    }

    fn lend<'s>(kept: &'s mut &'a mut Client) -> &'s mut Client {
        kept
    }
}

impl dlock_core::Session<Postgres> for Client {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Postgres> for Arc<Client> {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Postgres> for &Client {
    type Lock = Lock<Self>;
}

impl dlock_core::Session<Postgres> for &mut Client {
    type Lock = Lock<Self>;
}

impl<'a> dlock_core::Session<Postgres> for &'a Transaction<'a> {
    type Lock = XactLock<'a>;
}
