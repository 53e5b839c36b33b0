use crate::App;
use crate::app::Owner;
use crate::statement::ACQUIRE_XACT;
use tiberius::Client;

/// An application lock of SQL Server that is held by the transaction open on a lent client.
pub type Xact<'a, T> = App<&'a mut Client<T>, InTransaction>;

/// The open transaction owns the lock: its end frees it.
#[derive(Debug)]
pub enum InTransaction {}

impl Owner for InTransaction {
    const ACQUIRE: &'static str = ACQUIRE_XACT;
    const REFUSAL: &'static str =
        "this lock is held by a transaction, and the session has none open; begin one first";
}
