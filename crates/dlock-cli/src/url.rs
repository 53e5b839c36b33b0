//! The server's URL, and what of it may be shown.

use crate::status::{Failure, NO_SERVER, USAGE, of_system};
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
            (None, Some(url)) => url.clone(),
            (None, None) => from_environment()?,
        };
        Ok(Url { text })
    }
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
    let named = [OWN, SHARED].iter().find_map(|name| env::var(name).ok());
    named.filter(|url| !url.is_empty()).ok_or_else(|| {
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

    /// The password as it stands in the URL and as it is meant.
    fn secrets(&self) -> Vec<String> {
        let Some((user, _)) = self.after_scheme().rsplit_once('@') else { return Vec::new() };
        let Some((_, password)) = user.split_once(':') else { return Vec::new() };
        let mut secrets = vec![password.to_owned(), decoded(password)];
        secrets.retain(|secret| !secret.is_empty());
        secrets
    }

    fn after_scheme(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, rest)| rest)
    }
}

/// A sentence that may repeat what somebody has typed, without what stands in the place of a password.
pub(crate) fn hidden(sentence: &str) -> String {
    let (mut shown, mut rest) = (String::new(), sentence);
    while let Some((before, after)) = rest.split_once("://") {
        let end = after.find([' ', '\'', '"', '`']).unwrap_or(after.len());
        let (word, next) = after.split_at(end);
        let place = word.rsplit_once('@').map_or(word, |(_, place)| place);
        let secret = if place.len() < word.len() { "***@" } else { "" };
        shown.extend([before, "://", secret, place]);
        rest = next;
    }
    shown + rest
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
    fn what_was_typed_is_shown_without_a_password() {
        let said = "unexpected '--u=postgres://app:w@rd@db/app' and 'http://here', found";
        let shown = "unexpected '--u=postgres://***@db/app' and 'http://here', found";
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
