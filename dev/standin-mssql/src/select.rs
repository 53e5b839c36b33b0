//! The grammar of queries.

use crate::fault::Fault;
use crate::lexer::Token;
use crate::parser::Parser;
use crate::syntax::{Expression, Item, Select};

impl Parser {
    /// A query, from its SELECT on.
    pub(crate) fn query(&mut self) -> Result<Select, Fault> {
        self.expect("SELECT")?;
        let distinct = self.accept("DISTINCT");
        let top = self.top()?;
        let items = self.list(Parser::item)?;
        let source = match self.accept("FROM") {
            true => Some(self.source()?),
            false => None,
        };
        Ok(Select { top, distinct, items, source, filter: self.filter()?, order: self.order()? })
    }

    pub(crate) fn query_in_parentheses(&mut self) -> Result<Select, Fault> {
        self.expect_symbol("(")?;
        let query = self.query()?;
        self.expect_symbol(")")?;
        Ok(query)
    }

    fn top(&mut self) -> Result<Option<Expression>, Fault> {
        if !self.accept("TOP") {
            return Ok(None);
        }
        if self.accept_symbol("(") {
            let count = self.expression()?;
            self.expect_symbol(")")?;
            return Ok(Some(count));
        }
        Ok(Some(self.expression()?))
    }

    fn item(&mut self) -> Result<Item, Fault> {
        if self.accept_symbol("*") {
            return Ok(Item::All);
        }
        let assigns = matches!(self.peek(), Some(Token::Variable(_)))
            && matches!(self.peek_second(), Some(Token::Symbol("=")));
        if assigns {
            let variable = self.variable()?;
            self.expect_symbol("=")?;
            return Ok(Item::Assign(variable, self.expression()?));
        }
        let value = self.expression()?;
        let name = self.alias()?.unwrap_or_else(|| default_name(&value));
        Ok(Item::Value(value, name))
    }

    /// `AS name`, `name` or `'name'`.
    fn alias(&mut self) -> Result<Option<String>, Fault> {
        let stated = self.accept("AS");
        if let Some(Token::Text(name, _)) = self.peek().cloned() {
            self.advance();
            return Ok(Some(name));
        }
        if stated || self.at_identifier() {
            return Ok(Some(self.identifier()?));
        }
        Ok(None)
    }

    /// A table or a view, with an alias and hints if it has them.
    pub(crate) fn source(&mut self) -> Result<String, Fault> {
        let name = self.qualified()?;
        if self.accept("AS") || self.at_identifier() {
            self.identifier()?;
        }
        if self.accept("WITH") {
            self.list_in_parentheses(Parser::identifier)?;
        }
        Ok(name)
    }

    pub(crate) fn filter(&mut self) -> Result<Option<Expression>, Fault> {
        match self.accept("WHERE") {
            true => Ok(Some(self.expression()?)),
            false => Ok(None),
        }
    }

    fn order(&mut self) -> Result<Vec<(Expression, bool)>, Fault> {
        if !self.accept("ORDER") {
            return Ok(Vec::new());
        }
        self.expect("BY")?;
        self.list(|parser| {
            let key = parser.expression()?;
            let descending = parser.accept_one_of(&["ASC", "DESC"]) == Some("DESC");
            Ok((key, descending))
        })
    }
}

fn default_name(value: &Expression) -> String {
    match value {
        Expression::Column(name) => name.clone(),
        _ => String::new(),
    }
}
