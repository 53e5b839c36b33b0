#![doc = include_str!("../README.md")]
#![allow(dead_code, reason = "the runtime around the model comes next")]

mod lost;
mod mode;
mod model;
#[cfg(test)]
mod simulation;

pub use lost::{Lost, LostReason};
pub use mode::Mode;
pub use model::{Ask, Stats, What};
