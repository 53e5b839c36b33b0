//! The C interface of the Oracle client library, as far as ODPI-C asks for it.

mod attribute;
mod bind;
mod entry;
mod handle;
mod memory;
mod statement;
mod thread_key;
