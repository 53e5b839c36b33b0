//! A chaos soak: many processes and many tasks fight for a few keys while waits, guards and
//! statements are dropped, sessions killed, clients killed with SIGKILL, servers restarted and
//! connections cut, stalled and silenced; and every promise is watched.
//!
//! * *Exclusion* is watched through the database itself, on the lock's own session: see [`section`].
//! * Tasks with a lock each and tasks of `Locks` fight for the same keys. What `Locks` is told of losses is
//!   watched too: whoever is silent does no work once another holds.
//! * What stands on `Locks` is watched by a roster of who is inside, apart from every database: see [`roster`].
//! * Fenced transactions write what shows if two of them overlapped: see [`target::Ledger`].
//! * *Nothing left*: at each muster every task lets go and stands still, with its session open; then
//!   the server may show nobody who holds or awaits a key.
//! * *No hang*: a bounded acquire returns by its wait + 5 s, whatever happens.
//! * *No wrong answer*: each statement on a lock's session gets its own answer.

pub mod chaos;
pub mod contest;
pub mod crew;
pub mod dice;
pub mod event;
pub mod gate;
pub mod ground;
mod locks_task;
pub mod record;
pub mod roster;
pub mod section;
mod stops;
pub mod summary;
pub mod supervisor;
pub mod tally;
pub mod target;
pub mod task;
pub mod worker;
