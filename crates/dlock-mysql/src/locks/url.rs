use super::Server;
use crate::Error;
use dlock_locks::UrlDriver;
use mysql_async::{Opts, UrlError};

impl UrlDriver for Server {
    /// Takes what [`Opts::from_url`] takes but `built_in_roots=false`, and the scheme `mariadb`, which is the same.
    fn from_url(url: &str) -> Result<Self, Error> {
        let url = match url.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mariadb") => {
                format!("mysql:{rest}")
            }
            _ => url.to_owned(),
        };
        let opts = Opts::from_url(&url).map_err(|error| refused(&sentence(error, &url)))?;
        match opts.ssl_opts() {
            Some(_) if !cfg!(feature = "rustls") => Err(refused(NO_TLS)),
            // The driver would say so as often as a session is opened.
            Some(ssl) if ssl.disable_built_in_roots() => Err(refused(NO_AUTHORITY)),
            _ => Ok(Self::from(opts)),
        }
    }
}

const NO_TLS: &str = "the URL asks for TLS (`require_ssl`), which needs the feature `rustls`";

const NO_AUTHORITY: &str = "the URL's `built_in_roots=false` leaves no authority to trust: give yours in `SslOpts` \
                            to `Locks::builder`, or say `verify_ca=false` alone";

fn refused(sentence: &str) -> Error {
    Error::Driver(mysql_async::Error::Other(sentence.into()))
}

/// The driver's own words may show a part of the password, where that has a character which ends it.
fn sentence(error: UrlError, url: &str) -> String {
    let is_password_apart = url.split_once('?').is_none_or(|(_, query)| !query.contains('@'));
    match error {
        UrlError::UnsupportedScheme { .. } => {
            "the URL's scheme is neither `mysql` nor `mariadb`".to_owned()
        }
        UrlError::UnknownParameter { param } if is_password_apart => {
            format!("the URL has a parameter `{param}`, which the driver does not know")
        }
        UrlError::InvalidParamValue { param, .. } => {
            format!("the URL's parameter `{param}` has a value that the driver does not take")
        }
        UrlError::InvalidPoolConstraints { .. } => {
            "the URL's `pool_min` is higher than its `pool_max`".to_owned()
        }
        _ => "the URL is not of the form `mysql://user:password@host:port/database`, or has a character \
              in it that must be written as `%` and two digits"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Server;
    use dlock_locks::UrlDriver;
    use std::error::Error;

    fn told(url: &str) -> String {
        let error = Server::from_url(url).expect_err("it is no URL of a server");
        error.source().expect("a sentence").to_string()
    }

    #[test]
    fn both_schemes_are_taken() {
        for url in ["mysql://app:secret@db/app", "mariadb://app:secret@db:3307", "MariaDB://db"] {
            let server = Server::from_url(url).unwrap();
            assert!(!format!("{server:?}").contains("secret"), "{server:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, word) in [
            ("postgres://app:secret@db/app", "scheme"),
            ("mysql://app:secret@db/app?ssl=true", "`ssl`"),
            ("mysql://app:secret@db/app?require_ssl=secret", "`require_ssl`"),
            ("mysql://app:secret@db/app?pool_min=9&pool_max=1", "`pool_min`"),
            ("mysql://app:1?secret@db/app", "form"),
            ("mysql://app:se/cret@db/app", "form"),
            ("secret", "form"),
            ("", "form"),
        ] {
            let told = told(url);
            assert!(told.contains(word) && !told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn a_url_brings_no_authority_of_its_own() {
        for more in ["", "&verify_ca=false"] {
            let url =
                format!("mysql://app:secret@db/app?require_ssl=true&built_in_roots=false{more}");
            let told = told(&url);
            let word = if cfg!(feature = "rustls") { "`built_in_roots=false`" } else { "`rustls`" };
            assert!(told.contains(word) && !told.contains("secret"), "{told}");
        }
        let plain = "mysql://app:secret@db/app?built_in_roots=false";
        Server::from_url(plain).expect("without TLS it says nothing");
    }

    #[test]
    fn tls_is_had_with_its_feature_alone() {
        let opened = Server::from_url("mysql://app@db/app?require_ssl=true&verify_ca=false");
        assert_eq!(opened.is_ok(), cfg!(feature = "rustls"));
        if let Err(error) = opened {
            assert!(error.source().unwrap().to_string().contains("`rustls`"));
        }
    }
}
