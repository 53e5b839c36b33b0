use super::make;
use crate::any::alone::Lending;
use crate::any::key::Given;
use crate::any::native::FromGiven;
use crate::any::server::{AnyServer, Kind};
use crate::any::{AnyConnection, AnyError};
use dlock_core::{KeyError, SessionRef};
use dlock_locks::Mode;
use dlock_oracle::{Key, Server};

const KIND: Kind = Kind {
    name: "Oracle",
    modes: &[
        Mode::Exclusive,
        Mode::Shared,
        Mode::Null,
        Mode::SubShared,
        Mode::SubExclusive,
        Mode::SharedSubExclusive,
    ],
    setup: None,
};

pub(super) fn server(url: &str) -> Result<AnyServer, AnyError> {
    make::server::<Server>(url, KIND)
}

impl Lending for Server {
    fn lend(session: SessionRef<'_, Self::Lock>) -> AnyConnection<'_> {
        AnyConnection::Oracle(session)
    }
}

impl FromGiven for Key {
    fn from_given(given: Given) -> Result<Self, KeyError> {
        make::key(given, Key::hashed)
    }
}
