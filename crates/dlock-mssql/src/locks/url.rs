use crate::locks::ServerError;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tiberius::error::Error as Native;
use tiberius::{AuthMethod, Config, EncryptionLevel};
use url::Url;

const TRUST: &str = "trustservercertificate";
const TRUST_CA: &str = "trustservercertificateca";

const NO_TLS: &str = "asks for encryption, which this build has not: turn on the feature `rustls` of \
                      dlock-mssql, or say `encrypt=false`";

/// What a connection string says: a URL, an ADO string or a JDBC string.
pub(crate) fn parse(text: &str) -> Result<Config, ServerError> {
    let text = text.trim();
    match text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase()).as_deref() {
        Some("mssql" | "sqlserver") => from_url(text),
        Some("jdbc:sqlserver") => checked(Config::from_jdbc_string(text), "JDBC string"),
        Some(scheme) if is_scheme(scheme) => Err(wrong(format!(
            "its scheme is `{scheme}`, and `mssql://` or `sqlserver://` was expected"
        ))),
        _ if names_a_server(text) => checked(Config::from_ado_string(text), "ADO string"),
        _ => Err(wrong(
            "it names no server; say `mssql://user:password@host/database`, or `Server=…`",
        )),
    }
}

fn wrong(what: impl Into<String>) -> ServerError {
    ServerError::Url(what.into())
}

fn is_scheme(scheme: &str) -> bool {
    scheme.chars().all(|it| it.is_ascii_alphanumeric() || "+-.:".contains(it))
}

/// Without one the driver would take this machine.
fn names_a_server(text: &str) -> bool {
    let mut names = text.split(';').filter_map(|pair| Some(pair.split_once('=')?.0.trim()));
    names.any(|it| it.eq_ignore_ascii_case("server") || it.eq_ignore_ascii_case("data source"))
}

/// The driver's own words may quote the string, and are left out.
fn checked(config: Result<Config, Native>, what: &str) -> Result<Config, ServerError> {
    config.map_err(|error| match error {
        Native::Tls(_) => wrong(format!("it {NO_TLS}")),
        _ => wrong(format!(
            "it is no {what} that can be read; put values with special characters in braces or quotes"
        )),
    })
}

fn from_url(text: &str) -> Result<Config, ServerError> {
    let url = Url::parse(text).map_err(|error| wrong(format!("it is no URL: {error}")))?;
    let decode =
        |part| percent_decode_str(part).decode_utf8().map_err(|_| wrong("it is not UTF-8"));
    let mut config = Config::new();
    let host = url.host_str().filter(|host| !host.is_empty());
    config.host(host.ok_or_else(|| wrong("it names no host"))?);
    config.port(url.port().unwrap_or(1433));
    let (user, password) = (decode(url.username())?, decode(url.password().unwrap_or_default())?);
    config.authentication(AuthMethod::sql_server(user, password));
    let database = decode(url.path().trim_start_matches('/'))?;
    if !database.is_empty() {
        config.database(database);
    }
    let pairs = BTreeMap::from_iter(url.query_pairs().map(|(name, value)| (plain(&name), value)));
    if [TRUST, TRUST_CA].iter().all(|name| pairs.contains_key(*name)) {
        return Err(wrong(
            "it trusts any certificate, and those of an authority alone; say one of them",
        ));
    }
    set_all(&mut config, pairs)?;
    Ok(config)
}

fn set_all(config: &mut Config, pairs: BTreeMap<String, Cow<'_, str>>) -> Result<(), ServerError> {
    for (name, value) in pairs {
        let set = set(config, &name, &value);
        set.map_err(|what| wrong(format!("its parameter `{name}` {what}")))?;
    }
    Ok(())
}

/// `TrustServerCertificate` and `trust_server_certificate` are one.
fn plain(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).collect::<String>().to_lowercase()
}

fn set(config: &mut Config, name: &str, value: &str) -> Result<(), &'static str> {
    match name {
        "encrypt" => config.encryption(encryption(&value.to_lowercase())?),
        TRUST if truth(value)? => config.trust_cert(),
        TRUST => {}
        TRUST_CA => config.trust_cert_ca(value),
        "hostnameincertificate" => config.hostname_in_certificate(value),
        "database" => config.database(value),
        _ => return Err("is not known here"),
    }
    Ok(())
}

fn truth(value: &str) -> Result<bool, &'static str> {
    match value.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("is neither `true` nor `false`"),
    }
}

fn encryption(value: &str) -> Result<EncryptionLevel, &'static str> {
    match value {
        "true" | "yes" | "mandatory" | "required" if has_tls() => Ok(EncryptionLevel::Required),
        "true" | "yes" | "mandatory" | "required" => Err(NO_TLS),
        "false" | "no" | "optional" | "disable" => Ok(EncryptionLevel::NotSupported),
        _ => Err("is neither `true` nor `false`"),
    }
}

/// Whoever depends on the driver may have turned its TLS on.
fn has_tls() -> bool {
    Config::from_ado_string("Server=any;Encrypt=true").is_ok()
}

#[cfg(test)]
mod tests;
