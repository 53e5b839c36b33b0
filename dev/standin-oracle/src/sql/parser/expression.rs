//! Expressions, from the loosest operator to the tightest.

use super::Parser;
use crate::fault::Fault;
use crate::sql::ast::{Argument, Expression, Invocation, Operator};
use crate::sql::lexer::Token;

const COMPARISONS: [(&str, Operator); 7] = [
    ("=", Operator::Equal),
    ("<>", Operator::Unequal),
    ("!=", Operator::Unequal),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];
const SUMS: [(&str, Operator); 3] =
    [("+", Operator::Add), ("-", Operator::Subtract), ("||", Operator::Concatenate)];
const PRODUCTS: [(&str, Operator); 2] = [("*", Operator::Multiply), ("/", Operator::Divide)];

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expression, Fault> {
        let mut left = self.conjunction()?;
        loop {
            let place = self.place();
            if !self.accept("OR") {
                return Ok(left);
            }
            let right = self.conjunction()?;
            left = Expression::Binary(Operator::Or, Box::new(left), Box::new(right), place);
        }
    }

    fn conjunction(&mut self) -> Result<Expression, Fault> {
        let mut left = self.negation()?;
        loop {
            let place = self.place();
            if !self.accept("AND") {
                return Ok(left);
            }
            let right = self.negation()?;
            left = Expression::Binary(Operator::And, Box::new(left), Box::new(right), place);
        }
    }

    fn negation(&mut self) -> Result<Expression, Fault> {
        if self.accept("NOT") {
            return Ok(Expression::Not(Box::new(self.negation()?)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, Fault> {
        let left = self.sum()?;
        if self.accept("IS") {
            let negated = self.accept("NOT");
            self.word("NULL")?;
            return Ok(Expression::IsNull(Box::new(left), negated));
        }
        let negated = self.accept("NOT");
        let tested = match () {
            () if self.accept("IN") => self.membership(left)?,
            () if self.accept("BETWEEN") => self.range(left)?,
            () if negated => return Err(self.unexpected("IN BETWEEN")),
            () => return self.compared(left),
        };
        Ok(if negated { Expression::Not(Box::new(tested)) } else { tested })
    }

    fn compared(&mut self, left: Expression) -> Result<Expression, Fault> {
        let place = self.place();
        match self.operator(&COMPARISONS) {
            Some(operator) => {
                Ok(Expression::Binary(operator, Box::new(left), Box::new(self.sum()?), place))
            }
            None => Ok(left),
        }
    }

    fn membership(&mut self, left: Expression) -> Result<Expression, Fault> {
        self.symbol("(")?;
        let mut members = vec![self.expression()?];
        while self.accept_symbol(",") {
            members.push(self.expression()?);
        }
        self.symbol(")")?;
        Ok(Expression::In(Box::new(left), members))
    }

    fn range(&mut self, left: Expression) -> Result<Expression, Fault> {
        let low = self.sum()?;
        self.word("AND")?;
        let high = self.sum()?;
        Ok(Expression::Between(Box::new(left), Box::new(low), Box::new(high)))
    }

    fn sum(&mut self) -> Result<Expression, Fault> {
        let mut left = self.product()?;
        loop {
            let place = self.place();
            let Some(operator) = self.operator(&SUMS) else {
                return Ok(left);
            };
            let right = self.product()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right), place);
        }
    }

    fn product(&mut self) -> Result<Expression, Fault> {
        let mut left = self.factor()?;
        loop {
            let place = self.place();
            let Some(operator) = self.operator(&PRODUCTS) else {
                return Ok(left);
            };
            let right = self.factor()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right), place);
        }
    }

    fn factor(&mut self) -> Result<Expression, Fault> {
        if self.accept_symbol("-") {
            return Ok(Expression::Negative(Box::new(self.factor()?)));
        }
        if self.accept_symbol("(") {
            let inner = self.expression()?;
            self.symbol(")")?;
            return Ok(inner);
        }
        match self.peek().clone() {
            Token::Number(number) => self.literal(Expression::Number(number)),
            Token::Text(text) => self.literal(Expression::Text(text)),
            Token::Bind(name) => self.literal(Expression::Bind(name)),
            Token::Word(word) => self.keyword(&word),
            _ => self.named(),
        }
    }

    fn literal(&mut self, expression: Expression) -> Result<Expression, Fault> {
        self.next();
        Ok(expression)
    }

    fn keyword(&mut self, word: &str) -> Result<Expression, Fault> {
        let opens = *self.ahead(1) == Token::Symbol("(");
        match word {
            "NULL" => self.literal(Expression::Null),
            "TRUE" => self.literal(Expression::Bool(true)),
            "FALSE" => self.literal(Expression::Bool(false)),
            "CASE" => self.case(),
            "INTERVAL" if matches!(self.ahead(1), Token::Text(_)) => self.interval(),
            "TIMESTAMP" if matches!(self.ahead(1), Token::Text(_)) => self.instant(),
            "EXTRACT" if opens => self.extract(),
            "COUNT" if opens && *self.ahead(2) == Token::Symbol("*") => self.count(),
            _ => self.named(),
        }
    }

    fn named(&mut self) -> Result<Expression, Fault> {
        let path = self.path()?;
        if *self.peek() != Token::Symbol("(") {
            return Ok(Expression::Name(path));
        }
        let arguments = self.arguments()?;
        Ok(Expression::Call(Invocation { path, arguments }))
    }

    pub(super) fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        let mut arguments = Vec::new();
        if !self.accept_symbol("(") || self.accept_symbol(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if !self.accept_symbol(",") {
                break;
            }
        }
        self.symbol(")")?;
        Ok(arguments)
    }

    fn argument(&mut self) -> Result<Argument, Fault> {
        let mut name = None;
        if *self.ahead(1) == Token::Symbol("=>") {
            name = Some(self.name()?);
            self.symbol("=>")?;
        }
        Ok(Argument { name, value: self.expression()? })
    }

    fn case(&mut self) -> Result<Expression, Fault> {
        self.word("CASE")?;
        let mut arms = Vec::new();
        while self.accept("WHEN") {
            let condition = self.expression()?;
            self.word("THEN")?;
            arms.push((condition, self.expression()?));
        }
        let otherwise = if self.accept("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.word("END")?;
        Ok(Expression::Case(arms, otherwise))
    }

    fn interval(&mut self) -> Result<Expression, Fault> {
        self.word("INTERVAL")?;
        let Token::Text(amount) = self.next() else {
            return Err(self.unexpected("a string literal"));
        };
        let unit = match () {
            () if self.accept("SECOND") => 1.0,
            () if self.accept("MINUTE") => 60.0,
            () if self.accept("HOUR") => 3600.0,
            () => return Err(self.unexpected("SECOND MINUTE HOUR")),
        };
        let amount: f64 =
            amount.trim().parse().map_err(|_| Fault::new(1867, "the interval is invalid"))?;
        Ok(Expression::Interval(amount * unit))
    }

    /// The beginning of 1970, and no other.
    fn instant(&mut self) -> Result<Expression, Fault> {
        self.word("TIMESTAMP")?;
        match self.next() {
            Token::Text(text) if text == "1970-01-01 00:00:00" => Ok(Expression::Instant(0.0)),
            _ => Err(Fault::new(1861, "literal does not match format string")),
        }
    }

    fn extract(&mut self) -> Result<Expression, Fault> {
        self.word("EXTRACT")?;
        self.symbol("(")?;
        let unit = self.name()?;
        self.word("FROM")?;
        let from = self.expression()?;
        self.symbol(")")?;
        Ok(Expression::Extract(unit, Box::new(from)))
    }

    fn count(&mut self) -> Result<Expression, Fault> {
        self.word("COUNT")?;
        self.symbol("(")?;
        self.symbol("*")?;
        self.symbol(")")?;
        Ok(Expression::CountAll)
    }

    fn operator(&mut self, known: &[(&'static str, Operator)]) -> Option<Operator> {
        let found = known.iter().find(|(symbol, _)| *self.peek() == Token::Symbol(symbol));
        let operator = found.map(|(_, operator)| *operator);
        if operator.is_some() {
            self.next();
        }
        operator
    }
}
