//! A TDS server with state, on loopback and in this process, that keeps application locks as
//! SQL Server does, so that code over the real `tiberius` driver can be exercised where no
//! SQL Server can be had.
//!
//! It proves nothing about Microsoft's server. What it answers follows Microsoft's documentation
//! of [`sp_getapplock`], [`sp_releaseapplock`], [`APPLOCK_MODE`] and [`APPLOCK_TEST`], and the
//! published observations of the real server where the documentation is silent.
//!
//! A batch goes through a lexer, a parser and an interpreter: what is understood is answered for
//! what it says, and anything else is an error 102 as on the server.
//!
//! Not modelled: row locks (a statement sees what an open transaction of another session wrote),
//! MARS, logins (every user and password is let in), permissions, apart from one user, `plain`, who may
//! neither look at the locks nor end sessions.
//!
//! [`sp_getapplock`]: https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-getapplock-transact-sql
//! [`sp_releaseapplock`]: https://learn.microsoft.com/sql/relational-databases/system-stored-procedures/sp-releaseapplock-transact-sql
//! [`APPLOCK_MODE`]: https://learn.microsoft.com/sql/t-sql/functions/applock-mode-transact-sql
//! [`APPLOCK_TEST`]: https://learn.microsoft.com/sql/t-sql/functions/applock-test-transact-sql

mod applock;
mod batch;
mod catalog;
mod change;
mod connection;
mod datum;
mod deadlock;
mod engine;
mod evaluate;
mod execute;
mod expression;
mod fault;
mod function;
mod lexer;
mod locks;
mod login;
mod message;
mod mode;
mod modify;
mod packet;
mod parser;
mod plan;
mod property;
mod query;
mod rpc;
mod select;
mod server;
mod session;
mod setting;
mod statement;
mod syntax;
mod table;
mod tls;
mod token;
mod transaction;
mod waiter;

pub use server::Server;
