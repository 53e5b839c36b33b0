#![doc = include_str!("../README.md")]

mod alarm;
mod error;
mod guard;
mod held;
mod key;
mod lent;
mod lock;
mod mode;
mod moving;
mod name;
mod owned;
mod raw;
mod session;
mod state;
mod trace;
mod wait;
mod watch;
mod xact;

pub use error::{Error, KeyError};
pub use guard::Guard;
pub use held::{Gone, Hold, Landed, Outcome, Trip};
pub use key::{Digest, hash64, hash256};
pub use lent::Lent;
pub use lock::Lock;
pub use moving::Moving;
pub use name::{Name, Naming};
pub use owned::{NotAcquired, NotReleased, OwnedGuard};
pub use raw::{
    ByMut, ByRef, Lend, RawCancel, RawConvert, RawIntoSession, RawLock, RawMode, RawNew,
    RawPrepared, RawReleaseOnCommit, RawShared, RawUnlock, RawUpdate, RawUpgrade, SessionRef,
};
pub use session::{Session, lock};
pub use wait::{Deadline, GRACE, Wait};
pub use xact::XactLock;
