//! What dlock is tested with: private servers, a proxy that counts and fails, a database made of
//! memory, and the promises that every lock keeps.

pub mod bed;
pub mod cases;
pub mod locks;
pub mod memory;
pub mod names;
pub mod naming;
pub mod polled;
pub mod promise;
pub mod proxy;
pub mod script;
pub mod server;
pub mod trial;
pub mod vectors;
