//! A stand-in for the Oracle client library, with a simulated server behind it.
//!
//! Built as `libclntsh.so` beside a test executable, it is what ODPI-C loads when a test connects
//! through the `oracle` crate. Every connect string is a database of its own inside the process.
//! It knows session pools, anonymous blocks, queries over `DUAL`, `V$LOCK` and `V$SESSION`, the package
//! `DBMS_LOCK`, and what a test needs to make trouble:
//!
//! | statement | effect |
//! |---|---|
//! | `ALTER SYSTEM KILL SESSION 'sid,serial#'` | the session gets ORA-00028 |
//! | `ALTER SYSTEM DISCONNECT SESSION 'sid,serial#'` | its connection is cut: ORA-03113 |
//! | `ALTER SYSTEM SET "_standin_frozen" = 'true'` | the server answers only this session, until `'false'` |
//! | `ALTER SYSTEM SET "_standin_interrupt" = 'late'` | what the other sessions are doing is cancelled |
//! | `ALTER SYSTEM SET "_standin_clock" = '90'` | the server's clock is 90 seconds ahead |
//! | `ALTER SYSTEM SET "_standin_role" = 'PHYSICAL STANDBY'` | what `SYS_CONTEXT` says of the database |
//! | `ALTER SYSTEM SET "_standin_cluster" = 'true'` | `IS_CLUSTER_DATABASE` is true |
//! | `ALTER SYSTEM SET "_standin_deadlock_ms" = '200'` | a deadlock is looked for after 200 ms instead of 3 s |
//! | `ALTER SESSION SET "_standin_break" = 'late'` | a break is `prompt`, `late`, `stray` or `ignored` |
//!
//! `V$SESSION` has a column `STANDIN_CALLS` more: how many round trips the session has made.
//!
//! The user `nogrant` may not use `DBMS_LOCK`, and `noviews` not look at sessions nor end them; the password `wrong` is.
//!
//! It exercises a client's code through the real driver. It proves nothing about Oracle's server.

mod fault;
pub mod locks;
pub mod mode;
mod number;
mod oci;
pub mod resource;
mod server;
mod sql;
