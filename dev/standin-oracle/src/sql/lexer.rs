//! The words of a statement.

use crate::fault::{Fault, Place};

/// One word of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A name or a keyword, in upper case.
    Word(String),
    /// A name in double quotes, as it is.
    Quoted(String),
    Number(f64),
    Text(String),
    /// A placeholder, in upper case, without its colon.
    Bind(String),
    Symbol(&'static str),
    End,
}

/// A word and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Spanned {
    pub(crate) token: Token,
    pub(crate) place: Place,
}

/// Longer symbols first.
const SYMBOLS: [&str; 25] = [
    ":=", "=>", "..", "<>", "!=", "<=", ">=", "||", "**", "<<", ">>", "(", ")", ",", ";", ".", "+",
    "-", "*", "/", "=", "<", ">", "%", "@",
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

/// Splits a statement into words; the last one is `End`.
pub(crate) fn tokenize(text: &str) -> Result<Vec<Spanned>, Fault> {
    let mut lexer = Lexer { text, at: 0, place: Place { line: 1, column: 1 } };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let place = lexer.place;
        let token = lexer.next()?;
        let last = token == Token::End;
        tokens.push(Spanned { token, place });
        if last {
            return Ok(tokens);
        }
    }
}

/// The placeholders of a statement in the order of their positions.
///
/// In PL/SQL a name counts once, in SQL each time it stands there.
pub(crate) fn bind_names(text: &str, is_block: bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for Spanned { token, .. } in tokenize(text).unwrap_or_default() {
        if let Token::Bind(name) = token
            && !(is_block && names.contains(&name))
        {
            names.push(name);
        }
    }
    names
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn advance(&mut self, bytes: usize) {
        for letter in self.text[self.at..self.at + bytes].chars() {
            self.place.column += 1;
            if letter == '\n' {
                self.place = Place { line: self.place.line + 1, column: 1 };
            }
        }
        self.at += bytes;
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start().len();
            let comment = match rest {
                _ if blanks > 0 => blanks,
                _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
                _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
                _ => return,
            };
            self.advance(comment);
        }
    }

    fn next(&mut self) -> Result<Token, Fault> {
        match self.peek() {
            None => Ok(Token::End),
            Some('\'') => self.delimited('\'').map(Token::Text),
            Some('"') => self.delimited('"').map(Token::Quoted),
            Some(first) if first.is_ascii_digit() => Ok(self.number()),
            Some(first) if first.is_alphabetic() => Ok(Token::Word(self.name())),
            Some(':') if !self.rest().starts_with(":=") => self.bind(),
            Some(_) => self.symbol(),
        }
    }

    fn delimited(&mut self, quote: char) -> Result<String, Fault> {
        let mut content = String::new();
        self.advance(1);
        while let Some(letter) = self.peek() {
            self.advance(letter.len_utf8());
            if letter != quote {
                content.push(letter);
            } else if self.peek() == Some(quote) {
                content.push(quote);
                self.advance(1);
            } else {
                return Ok(content);
            }
        }
        Err(Fault::new(1756, "quoted string not properly terminated"))
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut length = digits(rest);
        if rest[length..].starts_with('.') && !rest[length..].starts_with("..") {
            length += 1 + digits(&rest[length + 1..]);
        }
        let number = rest[..length].parse().unwrap_or(0.0);
        self.advance(length);
        Token::Number(number)
    }

    fn name(&mut self) -> String {
        let rest = self.rest();
        let belongs = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#');
        let name = rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())].to_owned();
        self.advance(name.len());
        name.to_uppercase()
    }

    fn bind(&mut self) -> Result<Token, Fault> {
        self.advance(1);
        let name = self.name();
        if name.is_empty() {
            return Err(Fault::syntax(self.place, ":", "a bind variable"));
        }
        Ok(Token::Bind(name))
    }

    fn symbol(&mut self) -> Result<Token, Fault> {
        let found = SYMBOLS.iter().find(|symbol| self.rest().starts_with(**symbol));
        let Some(symbol) = found else {
            return Err(Fault::new(911, "invalid character"));
        };
        self.advance(symbol.len());
        Ok(Token::Symbol(symbol))
    }
}
