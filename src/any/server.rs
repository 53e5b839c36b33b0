use super::erased::ErasedServer;
use super::key::Form;
use super::{AnyError, AnyKey, AnySession, known};
use dlock_core::KeyError;
use dlock_locks::{
    Driver, FencedDriver, Finding, Holder, InspectDriver, Mode, ModesDriver, SessionOptions,
    SharedDriver, UpdateDriver, UrlDriver, Usage,
};
use futures::future::LocalBoxFuture;
use std::fmt;

/// A server of any kind, to open sessions on.
pub struct AnyServer {
    pub(crate) server: Box<dyn ErasedServer>,
    pub(crate) kind: Kind,
}

/// What a kind of server has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) modes: &'static [Mode],
    /// What makes the tables of its fences, where it has fences.
    pub(crate) setup: Option<Setup>,
}

pub(crate) type Setup = fn(&AnySession) -> LocalBoxFuture<'_, Result<(), AnyError>>;

impl Driver for AnyServer {
    type Key = AnyKey;
    type Error = AnyError;
    type Session = AnySession;

    fn derive(key: &AnyKey, label: &str) -> AnyKey {
        match &key.0 {
            Form::Known(key) => key.derived(label),
            Form::Given(_) => AnyKey::from(format!("{key} {label}")),
        }
    }

    fn turnstile(key: &AnyKey) -> Option<AnyKey> {
        if let Form::Known(key) = &key.0 { key.turnstile() } else { None }
    }

    fn folded(key: &AnyKey) -> Option<AnyKey> {
        if let Form::Known(key) = &key.0 { key.folded() } else { None }
    }

    fn folds(&self) -> bool {
        self.server.folds()
    }

    fn accept(&self, key: AnyKey) -> Result<AnyKey, KeyError> {
        self.server.accept(key)
    }

    fn can(&self, mode: Mode, is_fenced: bool) -> Result<(), AnyError> {
        if !self.kind.modes.contains(&mode) {
            return Err(self.kind.has_no(format!("{mode} mode")));
        }
        match is_fenced && self.kind.setup.is_none() {
            true => Err(self.kind.has_no("fence here".to_owned())),
            false => Ok(()),
        }
    }

    fn advice(error: &AnyError) -> Option<String> {
        known::advice(error)
    }

    fn usage(&self) -> Usage {
        self.server.usage()
    }

    async fn open(&self, options: &SessionOptions) -> Result<AnySession, AnyError> {
        let session = self.server.open(options).await?;
        Ok(AnySession { session, kind: self.kind })
    }
}

impl Kind {
    fn has_no(&self, what: String) -> AnyError {
        AnyError::Unsupported { server: self.name, what }
    }
}

/// What a server has not is an error.
impl SharedDriver for AnyServer {}

/// What a server has not is an error.
impl UpdateDriver for AnyServer {}

/// What a server has not is an error.
impl ModesDriver for AnyServer {}

impl FencedDriver for AnyServer {
    const DDL: &'static str = "dlock setup";

    async fn setup(session: &AnySession) -> Result<(), AnyError> {
        match session.kind.setup {
            Some(setup) => setup(session).await,
            None => Err(session.kind.has_no("fence here".to_owned())),
        }
    }
}

impl InspectDriver for AnyServer {
    async fn holders(
        session: &AnySession,
        key: Option<&AnyKey>,
    ) -> Result<Vec<Holder<AnyKey>>, AnyError> {
        session.session.holders(key).await
    }

    async fn end_session(session: &AnySession, number: &str) -> Result<bool, AnyError> {
        session.session.end_session(number).await
    }

    async fn check(&self, options: &SessionOptions) -> Result<Vec<Finding>, AnyError> {
        self.server.check(options).await
    }
}

impl UrlDriver for AnyServer {
    fn from_url(url: &str) -> Result<Self, AnyError> {
        known::server(url)
    }
}

impl fmt::Debug for AnyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyServer").field("kind", &self.kind.name).finish_non_exhaustive()
    }
}
