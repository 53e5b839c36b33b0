//! The words, literals and symbols of a batch.

use crate::fault::Fault;

/// One token of T-SQL.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// A keyword or a plain identifier, as it was written.
    Word(String),
    /// An identifier in brackets or double quotes.
    Quoted(String),
    /// `@name`, with the sign.
    Variable(String),
    /// `@@name`, with the signs.
    Global(String),
    /// A string; `true` for the national kind.
    Text(String, bool),
    Number(String),
    Binary(Vec<u8>),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 24] = [
    "<>", "<=", ">=", "!=", "+=", "-=", "::", "=", "<", ">", "(", ")", ",", ";", ".", "+", "-",
    "*", "/", "%", "&", "|", "^", "~",
];

impl Token {
    /// The token as a message about it shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Token::Word(text)
            | Token::Quoted(text)
            | Token::Variable(text)
            | Token::Global(text)
            | Token::Text(text, _)
            | Token::Number(text) => text.clone(),
            Token::Binary(_) => "0x".to_owned(),
            Token::Symbol(symbol) => (*symbol).to_owned(),
        }
    }
}

/// Cuts a batch into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { rest: text.trim_start_matches('\u{feff}') };
    let mut found = Vec::new();
    while let Some(token) = lexer.next()? {
        found.push(token);
    }
    Ok(found)
}

#[derive(Debug)]
struct Lexer<'a> {
    rest: &'a str,
}

impl Lexer<'_> {
    fn next(&mut self) -> Result<Option<Token>, Fault> {
        self.skip_blanks()?;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let national = self.rest.starts_with("N'") || self.rest.starts_with("n'");
        let token = match first {
            '\'' => Token::Text(self.quoted(1, '\'')?, false),
            _ if national => Token::Text(self.quoted(2, '\'')?, true),
            '[' => Token::Quoted(self.quoted(1, ']')?),
            '"' => Token::Quoted(self.quoted(1, '"')?),
            '@' => self.variable(),
            '0'..='9' => self.number(),
            _ if starts_word(first) => Token::Word(self.take_while(in_word)),
            _ => self.symbol()?,
        };
        Ok(Some(token))
    }

    /// Skips white space and comments; block comments nest.
    fn skip_blanks(&mut self) -> Result<(), Fault> {
        loop {
            self.rest = self.rest.trim_start_matches(|c: char| c.is_whitespace());
            if self.rest.starts_with("--") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = &self.rest[end..];
            } else if self.rest.starts_with("/*") {
                self.skip_block()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip_block(&mut self) -> Result<(), Fault> {
        let mut depth = 0;
        loop {
            let (opens, closes) = (self.rest.starts_with("/*"), self.rest.starts_with("*/"));
            depth += i32::from(opens) - i32::from(closes);
            let step = if opens || closes { 2 } else { self.first_length() };
            if step == 0 {
                let message = "Missing end comment mark '*/'.";
                return Err(Fault::new(113, message).class(15).ending());
            }
            self.rest = &self.rest[step..];
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn first_length(&self) -> usize {
        self.rest.chars().next().map_or(0, char::len_utf8)
    }

    fn take_while(&mut self, take: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !take(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    /// What stands between quotation marks, the doubled ones single.
    fn quoted(&mut self, opening: usize, mark: char) -> Result<String, Fault> {
        let body = &self.rest[opening..];
        let mut text = String::new();
        let mut characters = body.char_indices().peekable();
        while let Some((place, character)) = characters.next() {
            if character != mark {
                text.push(character);
            } else if characters.next_if(|next| next.1 == mark).is_some() {
                text.push(mark);
            } else {
                self.rest = &body[place + mark.len_utf8()..];
                return Ok(text);
            }
        }
        let message = format!("Unclosed quotation mark after the character string '{text}'.");
        Err(Fault::new(105, message).class(15).ending())
    }

    fn variable(&mut self) -> Token {
        let name = self.take_while(|c| c == '@' || in_word(c));
        if name.starts_with("@@") { Token::Global(name) } else { Token::Variable(name) }
    }

    fn number(&mut self) -> Token {
        if self.rest.starts_with("0x") || self.rest.starts_with("0X") {
            self.rest = &self.rest[2..];
            let digits = self.take_while(|c| c.is_ascii_hexdigit());
            return Token::Binary(octets(&digits));
        }
        let mut text = self.take_while(|c| c.is_ascii_digit());
        if self.rest.starts_with('.') {
            self.rest = &self.rest[1..];
            text.push('.');
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        Token::Number(text)
    }

    fn symbol(&mut self) -> Result<Token, Fault> {
        let found = SYMBOLS.into_iter().find(|symbol| self.rest.starts_with(symbol));
        let Some(symbol) = found else {
            let near: String = self.rest.chars().take(1).collect();
            return Err(Fault::syntax(&near));
        };
        self.rest = &self.rest[symbol.len()..];
        Ok(Token::Symbol(symbol))
    }
}

fn starts_word(character: char) -> bool {
    character.is_alphabetic() || character == '_' || character == '#'
}

fn in_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '#' | '$' | '@')
}

fn octets(digits: &str) -> Vec<u8> {
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
    (0..padded.len())
        .step_by(2)
        .filter_map(|at| u8::from_str_radix(&padded[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_identifiers_and_comments_are_told_apart() {
        let found = tokens("/* a /* b */ c */ SELECT N'o''clock', [a]]b], @x--end\n,@@SPID, 0x0a1");
        let expected = [
            Token::Word("SELECT".into()),
            Token::Text("o'clock".into(), true),
            Token::Symbol(","),
            Token::Quoted("a]b".into()),
            Token::Symbol(","),
            Token::Variable("@x".into()),
            Token::Symbol(","),
            Token::Global("@@SPID".into()),
            Token::Symbol(","),
            Token::Binary(vec![0, 0xA1]),
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        assert_eq!(tokens("SELECT 'a").unwrap_err().number, 105);
        assert_eq!(tokens("SELECT /* a").unwrap_err().number, 113);
        assert_eq!(tokens("SELECT ?").unwrap_err().number, 102);
    }
}
