//! The parameters of libpq's URLs.
//! <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>

use super::ServerError;
use percent_encoding::percent_decode_str;
use std::error::Error;

/// Parameters that the native driver reads as libpq does.
pub(super) const NATIVE: [&str; 16] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "options",
    "password",
    "port",
    "sslnegotiation",
    "target_session_attrs",
    "user",
];

/// Parameters of libpq's that have no counterpart here.
const FOREIGN: [&str; 22] = [
    "gssdelegation",
    "gsslib",
    "krbsrvname",
    "max_protocol_version",
    "min_protocol_version",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "scram_client_key",
    "scram_server_key",
    "service",
    "servicefile",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslkeylogfile",
    "sslpassword",
];

/// What is wrong with it; not the text, which has the password.
pub(super) fn unreadable(error: &tokio_postgres::Error) -> ServerError {
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    match why.strip_prefix("invalid value for option ") {
        Some(name) => ServerError::url(format!("the URL has a value that cannot be for {name}")),
        None => malformed(),
    }
}

pub(super) fn malformed() -> ServerError {
    ServerError::url(
        "the URL cannot be read: it is to be postgres://user:password@host:port/database?key=value, with \
         what is special in a name or password written as %40 and so on, or key=value key=value",
    )
}

pub(super) fn decoded(text: &str) -> Result<String, ServerError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| malformed())?;
    Ok(decoded.into_owned())
}

/// A value, quoted or not, and what is behind it.
pub(super) fn value(text: &str) -> Result<(String, &str), ServerError> {
    let (is_quoted, text) = match text.strip_prefix('\'') {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(characters.next().ok_or_else(malformed)?.1),
            '\'' if is_quoted => return Ok((value, &text[at + 1..])),
            ' ' | '\t' | '\n' if !is_quoted => return Ok((value, &text[at..])),
            _ => value.push(character),
        }
    }
    if is_quoted { Err(malformed()) } else { Ok((value, "")) }
}

pub(super) fn count<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, ServerError> {
    let wrong = || ServerError::url(format!("the URL has a value that cannot be for `{name}`"));
    value.parse().map_err(|_| wrong())
}

/// Whether a parameter asks for what is so in any case.
pub(super) fn is_default(name: &str, value: &str) -> bool {
    match name {
        "gssencmode" => ["disable", "prefer"].contains(&value),
        "client_encoding" => {
            ["auto", "utf8", "utf-8", "unicode"].contains(&value.to_ascii_lowercase().as_str())
        }
        "sslcompression" => value == "0",
        "sslsni" => value == "1",
        _ => false,
    }
}

/// What is unknown is not named: it may be a piece of a password.
pub(super) fn cannot(name: &str) -> ServerError {
    let known = ["gssencmode", "client_encoding", "sslcompression", "sslsni", "ssl"];
    if name.starts_with("sslcert") || name.starts_with("sslkey") || name == "sslpassword" {
        return ServerError::url(format!(
            "the URL's `{name}` cannot be had here: give a connector that has the client's certificate to \
             `Locks::builder(config).tls(connector)`"
        ));
    }
    if FOREIGN.contains(&name) || known.contains(&name) {
        return ServerError::url(format!(
            "the URL's `{name}` cannot be had here: leave it out, or make a `Config` of your own"
        ));
    }
    ServerError::url(
        "the URL has a parameter that libpq does not know; what is special in a password has to be written \
         as %40 and so on",
    )
}
