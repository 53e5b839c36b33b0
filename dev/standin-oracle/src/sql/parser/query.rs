//! Queries over one table.

use super::Parser;
use crate::fault::Fault;
use crate::sql::ast::{Expression, Join, Query, Target};
use crate::sql::lexer::Token;

/// Words that go on after a table.
const AFTER_TABLE: [&str; 3] = ["JOIN", "ON", "WHERE"];

impl Parser {
    /// A query after its SELECT.
    pub(super) fn query(&mut self) -> Result<Query, Fault> {
        let mut columns = vec![self.column()?];
        while self.accept_symbol(",") {
            columns.push(self.column()?);
        }
        let into = if self.accept("INTO") { self.targets()? } else { Vec::new() };
        self.word("FROM").map_err(|_| Fault::new(923, "FROM keyword not found where expected"))?;
        let (table, alias) = (self.path()?, self.alias()?);
        let join = if self.accept("JOIN") { Some(self.join()?) } else { None };
        let condition = if self.accept("WHERE") { Some(self.expression()?) } else { None };
        Ok(Query { columns, into, table, alias, join, condition })
    }

    fn join(&mut self) -> Result<Join, Fault> {
        let (table, alias) = (self.path()?, self.alias()?);
        self.word("ON")?;
        Ok(Join { table, alias, on: self.expression()? })
    }

    fn alias(&mut self) -> Result<Option<String>, Fault> {
        let is_alias = matches!(self.peek(), Token::Word(word) if !AFTER_TABLE.contains(&&**word));
        if is_alias { self.name().map(Some) } else { Ok(None) }
    }

    fn column(&mut self) -> Result<(Expression, String), Fault> {
        let expression = self.expression()?;
        let aliased =
            self.accept("AS") || matches!(self.peek(), Token::Quoted(_)) || self.is_alias();
        let name = match &expression {
            _ if aliased => self.name()?,
            Expression::Name(path) => path.last().to_owned(),
            Expression::CountAll => "COUNT(*)".to_owned(),
            Expression::Number(number) => crate::number::to_text(*number),
            _ => "EXPRESSION".to_owned(),
        };
        Ok((expression, name))
    }

    fn is_alias(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if word != "FROM" && word != "INTO")
    }

    pub(super) fn targets(&mut self) -> Result<Vec<Target>, Fault> {
        let mut targets = Vec::new();
        loop {
            targets.push(match self.peek().clone() {
                Token::Bind(name) => {
                    self.next();
                    Target::Bind(name)
                }
                _ => Target::Variable(self.path()?),
            });
            if !self.accept_symbol(",") {
                return Ok(targets);
            }
        }
    }
}
