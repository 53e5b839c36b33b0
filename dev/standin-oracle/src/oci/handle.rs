//! What stands behind the opaque pointers of the interface.

use std::sync::{Arc, Mutex, PoisonError};

use super::statement::{Column, Statement};
use crate::fault::Fault;
use crate::server::{Connection, Database};

/// The kinds of handles, by the interface's numbers.
pub(super) const ENVIRONMENT: u32 = 1;
pub(super) const ERROR: u32 = 2;
pub(super) const SERVICE: u32 = 3;
pub(super) const STATEMENT: u32 = 4;
pub(super) const SERVER: u32 = 8;
pub(super) const SESSION: u32 = 9;
pub(super) const TRANSACTION: u32 = 10;
pub(super) const POOL: u32 = 27;

/// A handle of any kind.
#[derive(Debug)]
pub(super) enum Handle {
    Environment,
    Error(Mutex<Option<Fault>>),
    Server(Server),
    Service(Service),
    Session(Credentials),
    Transaction,
    /// A pool, once it is made.
    Pool(Mutex<Option<Arc<Pool>>>),
    Statement(Box<Statement>),
    /// A column's description.
    Parameter(Arc<Column>),
}

/// A connection to a server before anyone has logged on.
#[derive(Debug, Default)]
pub(super) struct Server {
    pub(super) database: Mutex<Option<Arc<Database>>>,
    /// The session that lives on it, for the health of the connection.
    pub(super) connection: Mutex<Option<Arc<Connection>>>,
}

/// A service context: a server, a session, and the connection made of both.
#[derive(Debug, Default)]
pub(super) struct Service {
    /// Addresses of the handles that were set as attributes.
    pub(super) server: Mutex<usize>,
    pub(super) session: Mutex<usize>,
    pub(super) connection: Mutex<Option<Arc<Connection>>>,
    pub(super) cache_size: Mutex<u32>,
    /// The pool that it goes back to.
    pub(super) pool: Mutex<Option<Arc<Pool>>>,
}

/// Sessions that are kept for whoever asks next.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) database: String,
    pub(super) user: String,
    pub(super) password: String,
    /// Addresses of service contexts.
    pub(super) idle: Mutex<Vec<usize>>,
}

#[derive(Debug, Default)]
pub(super) struct Credentials {
    pub(super) user: Mutex<String>,
    pub(super) password: Mutex<String>,
}

impl Handle {
    pub(super) fn of_kind(kind: u32) -> Option<Self> {
        match kind {
            ENVIRONMENT => Some(Self::Environment),
            ERROR => Some(Self::Error(Mutex::default())),
            SERVICE => Some(Self::Service(Service::default())),
            SERVER => Some(Self::Server(Server::default())),
            SESSION => Some(Self::Session(Credentials::default())),
            TRANSACTION => Some(Self::Transaction),
            POOL => Some(Self::Pool(Mutex::default())),
            _ => None,
        }
    }

    /// The connection of a service context that someone has logged on to.
    pub(super) fn connection(&self) -> Result<Arc<Connection>, Fault> {
        let connection = match self {
            Self::Service(service) => get(&service.connection),
            Self::Server(server) => get(&server.connection),
            _ => None,
        };
        connection.ok_or_else(|| Fault::new(1012, "not logged on"))
    }

    pub(super) fn statement(&self) -> Result<&Statement, Fault> {
        match self {
            Self::Statement(statement) => Ok(statement),
            _ => Err(wrong_handle()),
        }
    }
}

pub(super) fn wrong_handle() -> Fault {
    Fault::new(24_330, "internal OCI error: a handle of another kind")
}

pub(super) fn get<T: Clone>(cell: &Mutex<T>) -> T {
    cell.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

pub(super) fn set<T>(cell: &Mutex<T>, value: T) {
    *cell.lock().unwrap_or_else(PoisonError::into_inner) = value;
}
