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
mod tests;
