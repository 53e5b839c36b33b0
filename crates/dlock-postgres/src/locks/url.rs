//! What libpq's URLs say.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>

use super::parameter::{NATIVE, cannot, count, decoded, is_default, malformed, unreadable, value};
use super::{Server, ServerError};
use crate::locks::connector::{By, Connector};
use dlock_locks::UrlDriver;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::{Config, NoTls};

/// How much of the server's certificate is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Check {
    #[default]
    Nothing,
    Authority,
    Name,
}

/// What the native driver does not read.
#[derive(Default)]
struct Extras {
    ssl_mode: Option<SslMode>,
    check: Check,
    authorities: Option<String>,
    user_timeout: Option<Duration>,
    retries: Option<u32>,
    attributes: Option<TargetSessionAttrs>,
    fallback_name: Option<String>,
}

impl UrlDriver for Server {
    fn from_url(url: &str) -> Result<Self, ServerError> {
        let mut extras = Extras::default();
        let rest = match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => extras.split_url(url)?,
            // A scheme has no `=`, which a value before a `://` has.
            Some((scheme, _)) if !scheme.contains('=') => {
                return Err(ServerError::url("a URL of PostgreSQL begins with postgres://"));
            }
            _ => extras.split_pairs(url)?,
        };
        let mut config = rest.parse::<Config>().map_err(|error| unreadable(&error))?;
        extras.apply(&mut config);
        let connector = extras.connector()?;
        Ok(Self::new(config, connector))
    }
}

impl Extras {
    /// Takes what the native driver does not know out of a URL, and returns the rest.
    fn split_url(&mut self, url: &str) -> Result<String, ServerError> {
        let Some((base, query)) = url.split_once('?') else { return Ok(url.to_owned()) };
        let mut kept = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
            let (name, decoded) = (decoded(name)?, decoded(value)?);
            if !self.take(&name, &decoded)? {
                kept.push(format!("{name}={value}"));
            }
        }
        let rest = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
        Ok(format!("{base}{rest}"))
    }

    /// The same for `key=value key='value'`.
    fn split_pairs(&mut self, text: &str) -> Result<String, ServerError> {
        let mut rest = text.trim_start();
        let mut kept = Vec::new();
        while !rest.is_empty() {
            let (name, behind) = rest.split_once('=').ok_or_else(malformed)?;
            let (value, behind) = value(behind.trim_start())?;
            rest = behind.trim_start();
            let name = name.trim_end();
            if !self.take(name, &value)? {
                let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
                kept.push(format!("{name}='{quoted}'"));
            }
        }
        if kept.is_empty() { Err(malformed()) } else { Ok(kept.join(" ")) }
    }

    /// `false`: the native driver reads it.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, ServerError> {
        match name {
            "sslmode" => self.set_ssl_mode(value)?,
            "ssl" if value == "true" => self.ssl_mode = Some(SslMode::Require),
            "sslrootcert" => self.authorities = Some(value.to_owned()),
            "tcp_user_timeout" => {
                self.user_timeout = Some(Duration::from_millis(count(name, value)?))
            }
            "keepalives_count" => self.retries = Some(count(name, value)?),
            "target_session_attrs" if value == "primary" => {
                self.attributes = Some(TargetSessionAttrs::ReadWrite);
            }
            "target_session_attrs" if !["any", "read-write"].contains(&value) => {
                return Err(ServerError::url(
                    "the URL asks for a server that takes no writes by target_session_attrs, and locks \
                     there exclude nobody: say read-write",
                ));
            }
            "fallback_application_name" => self.fallback_name = Some(value.to_owned()),
            _ if is_default(name, value) => {}
            _ if NATIVE.contains(&name) => return Ok(false),
            _ => return Err(cannot(name)),
        }
        Ok(true)
    }

    fn set_ssl_mode(&mut self, value: &str) -> Result<(), ServerError> {
        let (mode, check) = match value {
            "disable" => (SslMode::Disable, Check::Nothing),
            "prefer" => (SslMode::Prefer, Check::Nothing),
            "require" => (SslMode::Require, Check::Nothing),
            "verify-ca" => (SslMode::Require, Check::Authority),
            "verify-full" => (SslMode::Require, Check::Name),
            "allow" => {
                return Err(ServerError::url(
                    "sslmode=allow, which asks for TLS only when refused, cannot be had here: say prefer \
                     or disable",
                ));
            }
            _ => return Err(ServerError::url("the URL has a value that cannot be for `sslmode`")),
        };
        (self.ssl_mode, self.check) = (Some(mode), check);
        Ok(())
    }

    fn apply(&self, config: &mut Config) {
        self.ssl_mode.map(|mode| config.ssl_mode(mode));
        self.user_timeout.map(|timeout| config.tcp_user_timeout(timeout));
        self.retries.map(|retries| config.keepalives_retries(retries));
        self.attributes.map(|attributes| config.target_session_attrs(attributes));
        if let (Some(name), None) = (&self.fallback_name, config.get_application_name()) {
            config.application_name(name);
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
    }

    #[cfg(feature = "rustls")]
    fn connector(&self) -> Result<Arc<dyn Connector>, ServerError> {
        if self.ssl_mode == Some(SslMode::Disable) {
            return Ok(Arc::new(By(NoTls)));
        }
        let config = super::tls::config(self.check, self.authorities.as_deref())?;
        Ok(Arc::new(By(tokio_postgres_rustls::MakeRustlsConnect::new(config))))
    }

    #[cfg(not(feature = "rustls"))]
    fn connector(&self) -> Result<Arc<dyn Connector>, ServerError> {
        if self.ssl_mode == Some(SslMode::Require) || self.authorities.is_some() {
            return Err(ServerError::url(format!(
                "the URL asks for TLS{}, which needs the feature `rustls`",
                if self.check == Check::Nothing {
                    ""
                } else {
                    " with a certificate that is verified"
                }
            )));
        }
        Ok(Arc::new(By(NoTls)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Extras, Server};
    use dlock_locks::UrlDriver;
    use std::error::Error;
    use std::time::Duration;
    use tokio_postgres::Config;
    use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

    fn config(url: &str) -> Config {
        let mut extras = Extras::default();
        let rest =
            if url.contains("://") { extras.split_url(url) } else { extras.split_pairs(url) };
        let mut config = rest.expect("a URL").parse().expect("a URL");
        extras.apply(&mut config);
        config
    }

    #[test]
    fn several_hosts_and_what_they_are_to_be() {
        let config = config(
            "postgresql://app:p%40ss@one:5433,two/app?target_session_attrs=primary&sslmode=require\
             &options=-c%20geqo%3Doff&tcp_user_timeout=1500&keepalives_count=7&gssencmode=disable",
        );
        assert_eq!(config.get_hosts(), [Host::Tcp("one".into()), Host::Tcp("two".into())]);
        assert_eq!(config.get_ports(), [5433, 5432]);
        assert_eq!(config.get_password(), Some(b"p@ss".as_slice()));
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_options(), Some("-c geqo=off"));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert_eq!(config.get_keepalives_retries(), Some(7));
    }

    #[test]
    fn pairs_are_a_url_too() {
        let config =
            config(r"user = app password='a \' b\\=c' dbname=app sslmode=disable port=5433");
        assert_eq!(config.get_user(), Some("app"));
        assert_eq!(config.get_password(), Some(br"a ' b\=c".as_slice()));
        assert_eq!(config.get_hosts(), [Host::Tcp("localhost".into())]);
        assert_eq!(config.get_ssl_mode(), SslMode::Disable);
    }

    /// A sentence each, which says what it is and shows no piece of a password.
    #[test]
    fn what_cannot_be_is_named() {
        for (url, named) in [
            ("", "cannot be read"),
            ("postgres", "cannot be read"),
            ("mysql://u:secret@h/d", "postgres://"),
            ("postgres://u:secret@h:port/d", "`port`"),
            ("postgres://u:secret@h:99999/d", "`port`"),
            ("postgres://u:secret@h/d?sslmode=maybe", "`sslmode`"),
            ("postgres://u:secret@h/d?sslmode=allow", "sslmode=allow"),
            ("postgres://u:secret@h/d?sslcert=me.pem", "`sslcert`"),
            ("postgres://u:secret@h/d?service=x", "`service`"),
            ("postgres://u:secret@h/d?gssencmode=require", "`gssencmode`"),
            ("postgres://u:secret@h/d?target_session_attrs=standby", "target_session_attrs"),
            ("postgres://u:secret@h/d?target_session_attrs=read-only", "target_session_attrs"),
            ("postgres://u:p?secret=1@h/d", "libpq does not know"),
            ("postgres://u:p?secret@h/d", "cannot be read"),
            ("host=h password=a secret=b", "libpq does not know"),
            ("host=h password='secret", "cannot be read"),
            ("host=h password=a secret", "cannot be read"),
            ("postgres://u:secret@h/d?connect_timeout=soon", "`connect_timeout`"),
            ("postgres://u:secret@h/d?tcp_user_timeout=soon", "`tcp_user_timeout`"),
        ] {
            let error = Server::from_url(url).expect_err(url);
            let said = format!("{error} {error:?} {:?}", error.source());
            assert!(said.contains(named), "{url}: {said}");
            assert!(!said.contains("secret"), "{url}: {said}");
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[test]
    fn tls_needs_a_feature() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = Server::from_url(&format!("postgres://u:secret@h/d?sslmode={mode}"));
            assert!(error.expect_err(mode).to_string().contains("the feature `rustls`"));
        }
        Server::from_url("postgres://u@h/d?sslmode=prefer").expect("without TLS");
    }
}
