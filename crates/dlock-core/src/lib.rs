#![doc = include_str!("../README.md")]

mod borrowed_session;
mod by_dropping;
mod error;
mod exchange;
mod guard;
mod key;
mod lock;
mod mode;
mod name;
mod owned;
mod owned_session;
mod raw;
mod session;
mod state;
mod timer;
mod trace;
mod wait;
mod watch;
mod with;
mod xact;

pub use borrowed_session::BorrowedSession;
pub use by_dropping::ByDropping;
pub use error::{Error, KeyError};
pub use exchange::{Cancelled, End, Exchange, Exclusive, Reply, Returned};
pub use guard::Guard;
pub use key::{Digest, hash64, hash256};
pub use lock::Lock;
pub use name::{Name, Naming};
pub use owned::{NotAcquired, NotReleased, OwnedGuard};
pub use owned_session::OwnedSession;
pub use raw::{
    ByMut, ByRef, Lend, RawAbort, RawConvert, RawIntoSession, RawLock, RawMode, RawNew,
    RawPrepared, RawReleaseOnCommit, RawShared, RawSlice, RawUnlock, RawUpdate, RawUpgrade,
    SessionRef,
};
pub use session::{Over, Session, lock};
pub use timer::{sleep, within};
pub use wait::{Deadline, GRACE, Wait};
pub use with::WithError;
pub use xact::XactLock;
