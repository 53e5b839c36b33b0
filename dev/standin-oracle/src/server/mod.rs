//! The simulated server: databases, their sessions and their calls.

mod call;
mod database;
mod dbms_lock;
mod session;

pub(crate) use call::Call;
pub(crate) use database::{Database, State};
pub(crate) use dbms_lock::{handle_id, user_id};
pub(crate) use session::{BreakMode, Connection, Fate};
