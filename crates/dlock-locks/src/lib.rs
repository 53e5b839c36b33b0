#![doc = include_str!("../README.md")]

mod ability;
mod all;
mod alone;
mod blame;
mod builder;
mod change;
pub mod check;
mod clock;
mod drive;
mod driver;
mod engine;
mod errand;
mod error;
mod fenced;
mod finding;
mod held;
mod hold;
mod holder;
mod input;
mod lead;
mod locks;
mod lost;
mod mode;
mod model;
mod order;
mod pending;
mod perform;
mod request;
mod semaphore;
#[cfg(all(test, not(interleaved)))]
mod simulation;
mod sync;
mod told;

pub use ability::{
    AloneDriver, FencedConnection, FencedDriver, InspectDriver, ModeDriver, ModesDriver, Opened,
    SharedDriver, TlsDriver, UpdateDriver, UrlDriver,
};
pub use all::All;
pub use alone::{Alone, HeldAlone};
pub use builder::LocksBuilder;
pub use driver::{Driver, Session, SessionOptions, Usage};
pub use error::Error;
pub use finding::{Finding, Severity};
pub use held::Held;
pub use holder::Holder;
pub use lead::Term;
pub use locks::Locks;
pub use lost::{Lost, LostReason};
pub use mode::Mode;
pub use model::{Ask, Stats, What};
pub use request::Request;
pub use semaphore::{Permit, Semaphore};
pub use tokio_util::sync::CancellationToken;
