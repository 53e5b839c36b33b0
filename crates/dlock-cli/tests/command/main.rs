//! The command `dlock`, with real processes and real servers.

mod asking;
mod checkup;
mod container;
mod engines;
mod exclusion;
mod fixture;
mod foreground;
mod guide;
mod inputs;
mod lead;
mod leftovers;
mod losses;
mod mssql;
mod offline;
mod oracle;
mod secrets;
mod servers;
mod signals;
mod statuses;
mod terminal;
mod top;
