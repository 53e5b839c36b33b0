#![doc = include_str!("../README.md")]

mod builder;
mod clock;
mod drive;
mod driver;
mod engine;
mod error;
mod held;
mod hold;
mod input;
mod locks;
mod lost;
mod mode;
mod model;
mod perform;
mod request;
#[cfg(test)]
mod simulation;

pub use builder::LocksBuilder;
pub use driver::{Driver, Session, SessionOptions, SharedDriver};
pub use error::Error;
pub use held::Held;
pub use locks::Locks;
pub use lost::{Lost, LostReason};
pub use mode::Mode;
pub use model::{Ask, Stats, What};
pub use request::Request;
pub use tokio_util::sync::CancellationToken;
