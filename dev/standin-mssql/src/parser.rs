//! Reads tokens one after the other; the grammar is in the modules beside this one.

use std::collections::BTreeSet;

use crate::datum::{MAX, Type};
use crate::fault::Fault;
use crate::lexer::{Token, tokens};
use crate::syntax::Statement;

/// Words that end an expression or an alias because a statement or a clause begins with them.
const RESERVED: [&str; 53] = [
    "ADD",
    "ALL",
    "AND",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BREAK",
    "BY",
    "CASE",
    "COMMIT",
    "CONTINUE",
    "CREATE",
    "DECLARE",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DROP",
    "ELSE",
    "END",
    "EXEC",
    "EXECUTE",
    "EXISTS",
    "FROM",
    "GROUP",
    "HAVING",
    "IF",
    "IN",
    "INNER",
    "INSERT",
    "INTO",
    "IS",
    "JOIN",
    "KILL",
    "LIKE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRINT",
    "RAISERROR",
    "RETURN",
    "ROLLBACK",
    "SAVE",
    "SELECT",
    "SET",
    "THEN",
    "UPDATE",
    "VALUES",
    "WAITFOR",
    "WHEN",
    "WHERE",
];

const MORE_RESERVED: [&str; 8] =
    ["WHILE", "TRUNCATE", "UNION", "USE", "TOP", "DISTINCT", "TABLE", "WITH"];

/// A batch in the course of being read.
#[derive(Debug)]
pub(crate) struct Parser {
    tokens: Vec<Token>,
    place: usize,
    declared: BTreeSet<String>,
}

/// Reads a whole batch, to which these variables are known.
pub(crate) fn parse<'a>(
    text: &str,
    known: impl Iterator<Item = &'a String>,
) -> Result<Vec<Statement>, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0, declared: known.cloned().collect() };
    parser.statements(|parser| parser.peek().is_none())
}

impl Parser {
    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.place)
    }

    /// The token after the next one.
    pub(crate) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.place + 1)
    }

    pub(crate) fn advance(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.place).cloned();
        self.place += 1;
        token
    }

    /// The error that the next token is.
    pub(crate) fn unexpected(&self) -> Fault {
        let shown = self.peek().or(self.tokens.last()).map(Token::shown);
        Fault::syntax(&shown.unwrap_or_default())
    }

    /// Whether the next token is this keyword.
    pub(crate) fn at(&self, keyword: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn at_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(Token::Symbol(found)) if *found == symbol)
    }

    /// Takes this keyword if it is next.
    pub(crate) fn accept(&mut self, keyword: &str) -> bool {
        let found = self.at(keyword);
        self.place += usize::from(found);
        found
    }

    pub(crate) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        self.place += usize::from(found);
        found
    }

    /// Takes whichever of these keywords is next.
    pub(crate) fn accept_one_of(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        keywords.iter().copied().find(|keyword| self.accept(keyword))
    }

    pub(crate) fn expect(&mut self, keyword: &str) -> Result<(), Fault> {
        if self.accept(keyword) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.accept_symbol(symbol) {
            return Ok(());
        }
        Err(self.unexpected())
    }

    /// An identifier that is no keyword, unless in quotation marks.
    pub(crate) fn identifier(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Word(word)) if !reserved(word) => {}
            Some(Token::Quoted(_)) => {}
            _ => return Err(self.unexpected()),
        }
        match self.advance() {
            Some(Token::Word(name) | Token::Quoted(name)) => Ok(name),
            _ => Err(self.unexpected()),
        }
    }

    pub(crate) fn at_identifier(&self) -> bool {
        match self.peek() {
            Some(Token::Word(word)) => !reserved(word),
            Some(Token::Quoted(_)) => true,
            _ => false,
        }
    }

    /// A name with as many qualifiers as it has, in lower case, dots between.
    pub(crate) fn qualified(&mut self) -> Result<String, Fault> {
        let mut name = self.identifier()?;
        while self.accept_symbol(".") {
            name.push('.');
            if !self.at_symbol(".") {
                name.push_str(&self.identifier()?);
            }
        }
        Ok(name.to_lowercase())
    }

    /// A variable that has been declared.
    pub(crate) fn variable(&mut self) -> Result<String, Fault> {
        match self.peek() {
            Some(Token::Variable(name)) if !self.declared.contains(&name.to_lowercase()) => {
                Err(Fault::undeclared(name))
            }
            Some(Token::Variable(name)) => {
                let name = name.to_lowercase();
                self.place += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    /// A variable that is declared here.
    pub(crate) fn declare(&mut self) -> Result<String, Fault> {
        let Some(Token::Variable(shown)) = self.peek().cloned() else {
            return Err(self.unexpected());
        };
        self.place += 1;
        if self.declared.insert(shown.to_lowercase()) {
            return Ok(shown.to_lowercase());
        }
        let message = format!("The variable name '{shown}' has already been declared.");
        Err(Fault::new(134, message).class(15).ending())
    }

    /// A type with its length.
    pub(crate) fn of_type(&mut self) -> Result<Type, Fault> {
        let name = self.qualified()?;
        let name = name.trim_start_matches("sys.");
        let mut length = None;
        if self.accept_symbol("(") {
            length = Some(self.length()?);
            if self.accept_symbol(",") {
                self.length()?;
            }
            self.expect_symbol(")")?;
        }
        let message = format!("Type {name} is not a defined system type.");
        Type::named(name, length).ok_or_else(|| Fault::new(243, message).ending())
    }

    fn length(&mut self) -> Result<usize, Fault> {
        if self.accept("MAX") {
            return Ok(MAX);
        }
        match self.advance() {
            Some(Token::Number(digits)) => digits.parse().map_err(|_| Fault::syntax(&digits)),
            _ => Err(self.unexpected()),
        }
    }

    /// Whatever is separated by commas here.
    pub(crate) fn list<T>(
        &mut self,
        one: impl Fn(&mut Parser) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut all = vec![one(self)?];
        while self.accept_symbol(",") {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// The same in parentheses.
    pub(crate) fn list_in_parentheses<T>(
        &mut self,
        one: impl Fn(&mut Parser) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        self.expect_symbol("(")?;
        let all = self.list(one)?;
        self.expect_symbol(")")?;
        Ok(all)
    }
}

fn reserved(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    RESERVED.contains(&upper.as_str()) || MORE_RESERVED.contains(&upper.as_str())
}

/// Reads the parameters that `sp_executesql` is told of.
pub(crate) fn parameters(text: &str) -> Result<Vec<(String, Type)>, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0, declared: BTreeSet::new() };
    if parser.peek().is_none() {
        return Ok(Vec::new());
    }
    let all = parser.list(|parser| {
        let name = parser.declare()?;
        let of = parser.of_type()?;
        parser.accept_one_of(&["OUTPUT", "OUT"]);
        Ok((name, of))
    })?;
    match parser.peek() {
        None => Ok(all),
        Some(_) => Err(parser.unexpected()),
    }
}
