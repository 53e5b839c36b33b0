//! The promises of `Locks`, whatever its driver: plain async functions over a [`Fixture`].
//!
//! To run them for a driver, in `tests/locks_promises/main.rs` with `harness = false`:
//!
//! 1. Implement [`Fixture`]: a builder of `Locks` on the server, and what an observer sees and ends there.
//! 2. Implement [`LinkFixture`] where the server is reached by TCP: [`Proxy`](crate::proxy::Proxy) is a
//!    [`Link`], so that `link` is a proxy and a builder that goes through it.
//! 3. Implement [`LockFixture`]: a `Lock` of the same driver, to stand beside `Locks`.
//! 4. Implement [`MachineFixture`] where the server can be started privately, and [`ProcessFixture`], so
//!    that the test program runs again as a client that is frozen: `main` begins with [`client`].
//! 5. `harness` the trials: [`promises`], then those of the traits that are implemented
//!    ([`shared_promises`], [`link_promises`], [`lock_promises`], [`machine_promises`],
//!    [`process_promises`]), and the figures of losses ([`kill_figures`], [`link_figures`],
//!    [`machine_figures`], [`process_figures`], and [`fence_figures`] for a [`FenceFixture`], whose `main`
//!    begins with [`fenced_client`] too).
//!
//! Abilities of the server that change what is promised are constants of [`Fixture`]. The fixtures of
//! `dlock-memory` and `dlock-postgres` are examples.

mod bounds;
mod cases;
mod client;
mod fixture;
mod inside;
mod link;
mod losses;
mod trials;

pub use client::{Client, client, fenced_client};
pub use fixture::{
    FenceFixture, Fixture, HeldOf, KeyOf, LinkFixture, LockFixture, LocksOf, MachineFixture,
    ProcessFixture,
};
pub use link::Link;
pub use losses::{fence_figures, kill_figures, link_figures, machine_figures, process_figures};
pub use trials::{
    key_promises, link_promises, lock_promises, machine_promises, process_promises, promises,
    shared_promises,
};
