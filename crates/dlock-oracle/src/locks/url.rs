use crate::Error;
use oracle::Connector;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

const NO_URL: &str = "this names no Oracle database: give oracle://user:password@host:port/service, with \
    special characters percent-encoded, or user/password@connect-string";

/// The connector that a URL means. What is wrong is said without the URL, which has the password.
pub(super) fn connector(url: &str) -> Result<Connector, Error> {
    let parts = match url.strip_prefix("oracle://") {
        Some(rest) => encoded(rest),
        None => plain(url),
    };
    let parts = parts.filter(|(user, password, database)| {
        !database.is_empty() && user.is_empty() == password.is_empty()
    });
    let (user, password, database) = parts.ok_or(Error::Setup { advice: NO_URL, source: None })?;
    let mut connector = Connector::new(user.as_str(), password, database);
    // A wallet, or the operating system, knows who it is.
    connector.external_auth(user.is_empty());
    Ok(connector)
}

type Parts = (String, String, String);

/// `user:password@host:port/service`
fn encoded(rest: &str) -> Option<Parts> {
    let (who, database) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    Some((decoded(user)?, decoded(password)?, database.to_owned()))
}

/// `user/password@connect-string`
fn plain(text: &str) -> Option<Parts> {
    let (who, database) = text.rsplit_once('@')?;
    // Where the user ends with a colon, it is the scheme of another kind of URL.
    let (user, password) = who.split_once('/').filter(|(user, _)| !user.ends_with(':'))?;
    Some((user.to_owned(), password.to_owned(), database.to_owned()))
}

fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::{connector, encoded, plain};

    #[test]
    fn both_forms_are_understood() {
        let parts = |user: &str, password: &str, database: &str| {
            Some((user.to_owned(), password.to_owned(), database.to_owned()))
        };
        assert_eq!(encoded("a:b@db:1521/s"), parts("a", "b", "db:1521/s"));
        assert_eq!(encoded("a:b%40%2f%C3%A9:c@db/s"), parts("a", "b@/é:c", "db/s"));
        assert_eq!(encoded("db/s"), parts("", "", "db/s"));
        assert_eq!(plain("a/b/c@d@db/s"), parts("a", "b/c@d", "db/s"));
        assert_eq!(plain("a/b@tcps://db:2484/s"), parts("a", "b", "tcps://db:2484/s"));
        assert!(["a/b@x", "oracle://a:b@x", "/@x"].into_iter().all(|url| connector(url).is_ok()));
    }

    #[test]
    fn what_is_none_is_told_without_the_password() {
        let wrong = [
            "",
            "x",
            "a/b",
            "a@x",
            "a/secret@",
            "mysql://a:secret@x",
            "oracle://",
            "oracle://secret@x",
            "oracle://a:secret@",
            "oracle://a:secret%ff@x",
        ];
        for url in wrong {
            let error = connector(url).expect_err(url).to_string();
            assert!(error.contains("oracle://user:password@host") && !error.contains("secret"));
        }
    }
}
