//! The grammar of blocks and queries.

mod block;
mod expression;
mod query;

use super::ast::{Block, Path, Query};
use super::lexer::{Spanned, Token, tokenize};
use crate::fault::{Fault, Place};

/// Words that are never the name of a variable.
const RESERVED: [&str; 36] = [
    "ALL",
    "AND",
    "BEGIN",
    "BETWEEN",
    "CASE",
    "COMMIT",
    "DECLARE",
    "ELSE",
    "ELSIF",
    "END",
    "EXCEPTION",
    "EXIT",
    "FOR",
    "FROM",
    "IF",
    "IN",
    "INTO",
    "IS",
    "LOOP",
    "NOT",
    "OF",
    "ON",
    "OR",
    "ORDER",
    "RAISE",
    "RETURN",
    "ROLLBACK",
    "SELECT",
    "THEN",
    "TO",
    "UNION",
    "VALUES",
    "WHEN",
    "WHERE",
    "WHILE",
    "WITH",
];

/// Reads words from left to right.
#[derive(Debug)]
pub(crate) struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
}

/// A whole anonymous block.
pub(crate) fn parse_block(text: &str) -> Result<Block, Fault> {
    let mut parser = Parser::new(text)?;
    let block = parser.block()?;
    parser.symbol(";")?;
    parser.end()?;
    Ok(block)
}

/// A whole query, without a closing semicolon.
pub(crate) fn parse_query(text: &str) -> Result<Query, Fault> {
    let mut parser = Parser::new(text)?;
    parser.word("SELECT")?;
    let query = parser.query()?;
    if *parser.peek() != Token::End {
        return Err(Fault::new(933, "SQL command not properly ended"));
    }
    Ok(query)
}

impl Parser {
    fn new(text: &str) -> Result<Self, Fault> {
        Ok(Self { tokens: tokenize(text)?, at: 0 })
    }

    fn peek(&self) -> &Token {
        self.ahead(0)
    }

    fn ahead(&self, count: usize) -> &Token {
        let last = self.tokens.len() - 1;
        &self.tokens[(self.at + count).min(last)].token
    }

    fn place(&self) -> Place {
        self.tokens[self.at].place
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == symbol);
        if found {
            self.next();
        }
        found
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if self.accept(word) { Ok(()) } else { Err(self.unexpected(word)) }
    }

    fn symbol(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.unexpected(symbol)) }
    }

    fn end(&self) -> Result<(), Fault> {
        if *self.peek() == Token::End { Ok(()) } else { Err(self.unexpected("end-of-file")) }
    }

    /// A name that is not a keyword.
    fn name(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Token::Word(word) if !RESERVED.contains(&word.as_str()) => {}
            Token::Quoted(_) => {}
            _ => return Err(self.unexpected("an identifier")),
        }
        match self.next() {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => Err(self.unexpected("an identifier")),
        }
    }

    fn path(&mut self) -> Result<Path, Fault> {
        let place = self.place();
        let mut parts = vec![self.name()?];
        while self.accept_symbol(".") {
            parts.push(self.name()?);
        }
        Ok(Path { parts, place })
    }

    fn unexpected(&self, expected: &str) -> Fault {
        let found = match self.peek() {
            Token::Word(text) | Token::Quoted(text) | Token::Text(text) => text.clone(),
            Token::Bind(name) => format!(":{name}"),
            Token::Number(number) => number.to_string(),
            Token::Symbol(symbol) => (*symbol).to_owned(),
            Token::End => "end-of-file".to_owned(),
        };
        Fault::syntax(self.place(), &found, expected)
    }
}
