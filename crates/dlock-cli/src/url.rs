//! The server's URL, and what of it may be shown.

use crate::status::{Failure, NO_SERVER, USAGE, of_system, say};
use std::env;
use std::fmt;
use std::fs;
use std::path::PathBuf;

/// The variable that is asked first, and that no command is given.
pub(crate) const OWN: &str = "DLOCK_URL";
/// The variable that others use too; it is the command's as well.
const SHARED: &str = "DATABASE_URL";

/// Which server to ask.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Source {
    /// File whose first line is the server's URL
    ///
    /// Without it and `--url` the environment is asked: `DLOCK_URL`, then `DATABASE_URL`.
    #[arg(long, value_name = "FILE", conflicts_with = "url", global = true)]
    url_file: Option<PathBuf>,

    /// The server's URL, such as postgres://app@db/app
    ///
    /// Taken are postgres://, mysql://, mariadb://, mssql:// and oracle://. ADO and JDBC strings are not: write
    /// mssql://user:password@host:port/database.
    ///
    /// Everybody on this machine can read a password that is written here; `DLOCK_URL` and `--url-file` keep
    /// it secret.
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
}

/// A URL, whose password is not shown.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Url {
    text: String,
}

impl Source {
    /// The URL.
    ///
    /// # Errors
    /// Where there is none, in one sentence.
    pub(crate) fn url(&self) -> Result<Url, Failure> {
        let text = match (&self.url_file, &self.url) {
            (Some(file), _) => from_file(file)?,
            (None, Some(url)) => return Ok(in_the_open(url)),
            (None, None) => from_environment()?,
        };
        Ok(Url { text })
    }
}

/// One that stands in the list of processes.
fn in_the_open(text: &str) -> Url {
    let url = Url { text: text.to_owned() };
    if !url.secrets().is_empty() {
        say(
            "everybody on this machine can read the password in --url; use DLOCK_URL or --url-file",
        );
    }
    url
}

fn from_file(file: &PathBuf) -> Result<String, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        let (file, error) = (file.display(), of_system(&error));
        Failure::new(USAGE, format!("the URL cannot be read from {file}: {error}"))
    })?;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.map(str::to_owned)
        .ok_or_else(|| Failure::new(USAGE, format!("the file {} has no URL in it", file.display())))
}

fn from_environment() -> Result<String, Failure> {
    let named = [OWN, SHARED].iter().filter_map(|name| env::var(name).ok());
    { named }.find(|url| !url.is_empty()).ok_or_else(|| {
        Failure::new(
            USAGE,
            "no server is named; set DLOCK_URL, or DATABASE_URL, or use --url-file or --url",
        )
    })
}

impl Url {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What was said about the server, by somebody who may have repeated its URL.
    pub(crate) fn hide(&self, sentence: &str) -> String {
        let mut hidden = sentence.to_owned();
        for secret in self.secrets() {
            hidden = hidden.replace(&secret, "***");
        }
        hidden
    }

    /// The failure of a server that did not answer as it should.
    pub(crate) fn failure(&self, sentence: &str) -> Failure {
        Failure::new(NO_SERVER, self.hide(sentence))
    }

    /// What may be a password, as it stands in the URL and as it is meant; the longest first. Drivers do not
    /// agree where one ends that has an `@` or a `/` in it.
    fn secrets(&self) -> Vec<String> {
        let rest = self.after_scheme();
        let before = |end: &[char]| rest.split(end).next().unwrap_or_default();
        let places = [before(&['/', '?', '#']), before(&['?']), rest];
        let users = places.into_iter().filter_map(|it| Some(it.rsplit_once('@')?.0));
        let passwords = users.filter_map(|user| Some(user.split_once(':')?.1));
        let all = Vec::from_iter(passwords.chain(self.parameters()));
        let mut secrets = Vec::from_iter(all.iter().map(|it| decoded(it)));
        secrets.extend(all.into_iter().map(str::to_owned));
        secrets.retain(|secret| !secret.is_empty());
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    /// The passwords that are parameters.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        let query = self.text.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.filter(|(name, _)| name.to_lowercase().contains("pass")).map(|(_, value)| value)
    }

    /// The server, for people: no password, and nothing of how it is connected to.
    pub(crate) fn server(&self) -> String {
        let shown = self.hide(&self.text);
        shown.split('?').next().unwrap_or_default().to_owned()
    }

    fn after_scheme(&self) -> &str {
        self.text.split_once("://").map_or(&self.text, |(_, rest)| rest)
    }
}

/// A sentence that may repeat what somebody has typed, without what may be a password.
pub(crate) fn hidden(sentence: &str) -> String {
    let is_end = |it: char| it.is_whitespace() || ['\'', '"', '`'].contains(&it);
    let words = sentence.split_inclusive(is_end).map(|word| match word.contains(['@', '?']) {
        true => Url { text: word.trim_end_matches(is_end).to_owned() }.hide(word),
        false => word.to_owned(),
    });
    words.collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = text_of(after).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes.get(..2)?).ok()
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hide(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url { text: text.to_owned() }
    }

    #[test]
    fn a_password_is_hidden_however_it_is_written() {
        let url = url("postgres://app:p%40ss:w%C3%B6rd@db/app");
        assert_eq!(format!("{url:?}"), "postgres://app:***@db/app");
        assert_eq!(url.hide("no p@ss:wörd here"), "no *** here");
        assert_eq!(url.hide("app of db"), "app of db");
    }

    #[test]
    fn a_password_is_hidden_wherever_it_stands() {
        for text in [
            "mysql://app:s3cr%65t@db/app?name=a@b",
            "postgres://app@db/app?password=s3cret",
            "postgres://app@db/app?connect_timeout=3&sslpassword=s3cret",
        ] {
            assert!(!format!("{:?}", url(text)).contains("s3cr"), "{text}");
            assert_eq!(url(text).hide("not s3cret"), "not ***", "{text}");
        }
    }

    #[test]
    fn what_was_typed_is_shown_without_a_password() {
        let said =
            "unexpected '--u=postgres://app:w@rd@db/app?password=x7' and 'http://here', found";
        let shown =
            "unexpected '--u=postgres://app:***@db/app?password=***' and 'http://here', found";
        assert_eq!(hidden(said), shown);
    }

    #[test]
    fn a_url_without_a_password_is_shown() {
        for text in ["postgres://app@db:5432/app", "postgres://db/app", "postgres://app:@db", "app"]
        {
            assert_eq!(format!("{:?}", url(text)), text);
        }
    }
}
