use super::ServerSession;
use crate::acquire::OLD;
use crate::answer::meaning;
use crate::claim::is_supported;
use crate::session::plain;
use crate::{Error, Key};
use dlock_locks::{Driver, SessionOptions};
use mysql_async::{Conn, Opts, OptsBuilder};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// A server to open sessions on: MySQL from 5.7.5, MariaDB from 10.0.2 on.
#[derive(Clone)]
pub struct Server {
    opts: Opts,
    /// Whether it is MySQL, as the session says that was opened last.
    folds: Arc<AtomicBool>,
}

impl From<Opts> for Server {
    fn from(opts: Opts) -> Self {
        #[cfg(feature = "rustls")]
        if opts.ssl_opts().is_some() {
            choose_provider();
        }
        Self { opts, folds: Arc::default() }
    }
}

/// The driver takes the process's provider of ciphers. rustls chooses that by itself only where a single one is
/// compiled in, and panics where there are more: the driver for SQL Server brings another.
#[cfg(feature = "rustls")]
fn choose_provider() {
    use rustls::crypto::{CryptoProvider, ring};
    if CryptoProvider::get_default().is_none() {
        // Somebody may have been faster.
        drop(ring::default_provider().install_default());
    }
}

impl From<OptsBuilder> for Server {
    fn from(opts: OptsBuilder) -> Self {
        Self::from(Opts::from(opts))
    }
}

impl Server {
    /// A session of this name for the caller's own statements, with what the options run there.
    pub(super) fn lasting(&self, name: &str) -> Opts {
        let opts = OptsBuilder::from_opts(self.opts.clone()).prefer_socket(false);
        opts.connect_attribute("program_name", name).into()
    }

    /// With the session's name, and without a question about the longest packet: that is asked for later.
    fn opts(&self, name: &str) -> Opts {
        let opts = plain(self.opts.clone()).connect_attribute("program_name", name);
        opts.max_allowed_packet(Some(1 << 24)).into()
    }
}

impl Driver for Server {
    type Key = Key;
    type Error = Error;
    type Session = ServerSession;

    const SYSTEM: &'static str = "mysql";

    /// A hashed key, 64 characters long, that tells apart what MySQL does not: `Job` and `job` have different
    /// ones.
    fn derive(key: &Key, label: &str) -> Key {
        Key::hashed(&format!("dlock {label} of {key}"))
    }

    /// Short at first, and the longer the more it has waited: of those who wait in slices, each has its turn.
    fn slice(waited: Duration) -> Duration {
        let grown = 0.05 + 0.13 * (waited.as_secs_f64() / 0.2).ln_1p();
        Duration::from_secs_f64(grown.min(0.9))
    }

    /// As far as Latin letters go: MySQL folds others too, by tables that differ from ours.
    fn folded(key: &Key) -> Option<Key> {
        let fold =
            |letter: char| if letter < '\u{100}' { letter.to_lowercase().next() } else { None };
        let text = key.as_str();
        let folded: String = text.chars().map(|letter| fold(letter).unwrap_or(letter)).collect();
        Key::try_from(folded).ok().filter(|folded| folded != key)
    }

    /// MySQL does, MariaDB does not.
    fn folds(&self) -> bool {
        self.folds.load(Relaxed)
    }

    fn advice(error: &Error) -> Option<String> {
        match error {
            Error::Setup { advice, .. } => Some((*advice).to_owned()),
            _ => None,
        }
    }

    async fn open(&self, options: &SessionOptions) -> Result<ServerSession, Error> {
        let opts = self.opts(&options.name);
        let conn = Conn::new(opts.clone()).await.map_err(meaning)?;
        if !is_supported(conn.server_version()) {
            return Err(Error::Setup { advice: OLD, source: None });
        }
        self.folds.store(conn.server_version().0 < 10, Relaxed);
        ServerSession::new(conn, opts, options.lease).await
    }
}

impl fmt::Debug for Server {
    /// Without the options: they have the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.opts.ip_or_hostname())
            .field("port", &self.opts.tcp_port())
            .finish_non_exhaustive()
    }
}
