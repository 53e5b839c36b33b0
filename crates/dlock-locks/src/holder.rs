use crate::Mode;
use std::time::Duration;

/// A session that holds a key, or waits for one, as the server tells it.
///
/// What the server does not know, or does not show to the user that asked, is `None`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Holder<K> {
    /// The key: by the name that this process gave it, where it uses it too.
    pub key: K,
    /// How it is held, or asked for.
    pub mode: Mode,
    /// Whether it waits.
    pub is_waiting: bool,
    /// The session's number, as the server's own commands take it.
    pub session: String,
    /// The session's user.
    pub user: Option<String>,
    /// Where the session comes from.
    pub host: Option<String>,
    /// What the session calls itself.
    pub application: Option<String>,
    /// For how long it has held the key or waited, where the server counts that; else for how long the
    /// session has been in its present state.
    pub since: Option<Duration>,
}

impl<K> Holder<K> {
    /// A holder of which nothing else is known.
    pub fn new(key: K, mode: Mode, is_waiting: bool, session: impl Into<String>) -> Self {
        let session = session.into();
        Self {
            key,
            mode,
            is_waiting,
            session,
            user: None,
            host: None,
            application: None,
            since: None,
        }
    }

    /// The same of a key by another name.
    pub fn map<L>(self, name: impl FnOnce(K) -> L) -> Holder<L> {
        Holder {
            key: name(self.key),
            mode: self.mode,
            is_waiting: self.is_waiting,
            session: self.session,
            user: self.user,
            host: self.host,
            application: self.application,
            since: self.since,
        }
    }
}
