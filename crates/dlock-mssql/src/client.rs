use crate::{App, Key, Lock, Mssql};
use dlock_core::{BorrowedSession, ByDropping, Exclusive, OwnedSession, RawNew, Session};
use futures::io::{AsyncRead, AsyncWrite};
use tiberius::Client;
use tiberius::error::Error;

/// What a client speaks over: any stream that `tiberius` takes.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A session that a lock can be made over: an owned [`Client`], or one that is lent.
pub trait Place: Sized {
    /// What the client speaks over.
    type Stream: Stream;
    /// How the lock keeps the client.
    type Exclusive: Exclusive<Session = Client<Self::Stream>, Error = Error>;

    /// Hands it to a lock.
    fn hold(self) -> Self::Exclusive;
}

impl<T: Stream + 'static> Place for Client<T> {
    type Stream = T;
    type Exclusive = OwnedSession<Client<T>, ByDropping<Error>>;

    fn hold(self) -> Self::Exclusive {
        OwnedSession::new(self, ByDropping::default())
    }
}

impl<'a, T: Stream> Place for &'a mut Client<T> {
    type Stream = T;
    type Exclusive = BorrowedSession<'a, Client<T>, Error>;

    fn hold(self) -> Self::Exclusive {
        BorrowedSession::new(self)
    }
}

impl<T: Stream + 'static> Session<Mssql> for Client<T> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(App::new(self, key))
    }
}

impl<T: Stream> Session<Mssql> for &mut Client<T> {
    type Lock = Lock<Self>;
    type Key = Key;
    type Error = Error;

    fn into_lock(self, key: Key) -> Lock<Self> {
        Lock::from_raw(App::new(self, key))
    }
}
