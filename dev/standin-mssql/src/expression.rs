//! The grammar of expressions and conditions.

use crate::datum::{Datum, Type};
use crate::fault::Fault;
use crate::lexer::Token;
use crate::parser::Parser;
use crate::syntax::{Case, Expression};

const COMPARISONS: [&str; 7] = ["=", "<>", "!=", "<=", ">=", "<", ">"];
const AGGREGATES: [&str; 5] = ["count", "count_big", "sum", "min", "max"];

impl Parser {
    /// An expression or a condition.
    pub(crate) fn expression(&mut self) -> Result<Expression, Fault> {
        let mut left = self.conjunction()?;
        while self.accept("OR") {
            left = Expression::Or(left.into(), self.conjunction()?.into());
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Expression, Fault> {
        let mut left = self.negation()?;
        while self.accept("AND") {
            left = Expression::And(left.into(), self.negation()?.into());
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Expression, Fault> {
        if self.accept("NOT") {
            return Ok(Expression::Not(self.negation()?.into()));
        }
        let left = self.sum()?;
        self.predicate(left)
    }

    /// What may follow a value to make it a condition.
    fn predicate(&mut self, left: Expression) -> Result<Expression, Fault> {
        for symbol in COMPARISONS {
            if self.accept_symbol(symbol) {
                let right = self.sum()?;
                return Ok(Expression::Comparison(symbol, left.into(), right.into()));
            }
        }
        if self.accept("IS") {
            let not = self.accept("NOT");
            self.expect("NULL")?;
            return Ok(negated(not, Expression::IsNull(left.into())));
        }
        let not = self.accept("NOT");
        let found = self.membership(left.clone())?;
        match found {
            Some(condition) => Ok(negated(not, condition)),
            None if not => Err(self.unexpected()),
            None => Ok(left),
        }
    }

    fn membership(&mut self, left: Expression) -> Result<Option<Expression>, Fault> {
        let left = Box::new(left);
        if self.accept("LIKE") {
            return Ok(Some(Expression::Like(left, self.sum()?.into())));
        }
        if self.accept("BETWEEN") {
            let low = self.sum()?.into();
            self.expect("AND")?;
            return Ok(Some(Expression::Between(left, low, self.sum()?.into())));
        }
        if !self.accept("IN") {
            return Ok(None);
        }
        if matches!(self.peek_second(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("SELECT"))
        {
            let query = self.query_in_parentheses()?;
            return Ok(Some(Expression::WithinQuery(left, query.into())));
        }
        let values = self.list_in_parentheses(Parser::sum)?;
        Ok(Some(Expression::Within(left, values)))
    }

    fn sum(&mut self) -> Result<Expression, Fault> {
        self.chain(&["+", "-", "&", "|", "^"], Parser::product)
    }

    fn product(&mut self) -> Result<Expression, Fault> {
        self.chain(&["*", "/", "%"], Parser::unary)
    }

    fn chain(
        &mut self,
        symbols: &[&'static str],
        operand: impl Fn(&mut Parser) -> Result<Expression, Fault>,
    ) -> Result<Expression, Fault> {
        let mut left = operand(self)?;
        while let Some(symbol) = symbols.iter().find(|symbol| self.accept_symbol(symbol)) {
            left = Expression::Arithmetic(symbol, left.into(), operand(self)?.into());
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        if self.accept_symbol("-") {
            return Ok(Expression::Negative(self.unary()?.into()));
        }
        self.accept_symbol("+");
        self.operand()
    }

    /// A literal, a variable, a call or something in parentheses.
    pub(crate) fn operand(&mut self) -> Result<Expression, Fault> {
        match self.peek() {
            Some(Token::Variable(_)) => Ok(Expression::Variable(self.variable()?)),
            Some(Token::Symbol("(")) => self.in_parentheses(),
            Some(Token::Word(_) | Token::Quoted(_)) => self.named(),
            Some(_) => self.literal(),
            None => Err(self.unexpected()),
        }
    }

    fn literal(&mut self) -> Result<Expression, Fault> {
        let fault = self.unexpected();
        let datum = match self.advance() {
            Some(Token::Global(name)) => return Ok(Expression::Global(name.to_lowercase())),
            Some(Token::Number(digits)) => number(&digits)?,
            Some(Token::Text(text, true)) => Datum::text(&text),
            Some(Token::Text(text, false)) => Datum::Text(Type::VarChar(8000), Some(text)),
            Some(Token::Binary(bytes)) => Datum::Binary(Some(bytes)),
            _ => return Err(fault),
        };
        Ok(Expression::Literal(datum))
    }

    fn in_parentheses(&mut self) -> Result<Expression, Fault> {
        if matches!(self.peek_second(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("SELECT"))
        {
            return Ok(Expression::Query(self.query_in_parentheses()?.into()));
        }
        self.expect_symbol("(")?;
        let inner = self.expression()?;
        self.expect_symbol(")")?;
        Ok(inner)
    }

    /// NULL, CASE, EXISTS, a function or a column.
    fn named(&mut self) -> Result<Expression, Fault> {
        if self.accept("NULL") {
            return Ok(Expression::Literal(Type::Int.null()));
        }
        if self.accept("CASE") {
            return self.case();
        }
        if self.accept("EXISTS") {
            return Ok(Expression::Exists(self.query_in_parentheses()?.into()));
        }
        if let Some(function) = self.accept_one_of(&["CAST", "CONVERT", "TRY_CONVERT"]) {
            return self.conversion(function == "CAST");
        }
        if let Some(function) = self.accept_one_of(&["LEFT", "RIGHT"]) {
            return self.call(function.to_lowercase());
        }
        let name = self.qualified()?;
        if self.at_symbol("(") {
            return self.call(name);
        }
        Ok(Expression::Column(last_part(&name).to_owned()))
    }

    fn case(&mut self) -> Result<Expression, Fault> {
        let of = if self.at("WHEN") { None } else { Some(self.expression()?.into()) };
        let mut branches = Vec::new();
        while self.accept("WHEN") {
            let when = self.expression()?;
            self.expect("THEN")?;
            branches.push((when, self.expression()?));
        }
        let otherwise = match self.accept("ELSE") {
            true => Some(self.expression()?.into()),
            false => None,
        };
        self.expect("END")?;
        Ok(Expression::Case(Case { of, branches, otherwise }))
    }

    /// `CAST(value AS type)` or `CONVERT(type, value)`.
    fn conversion(&mut self, cast: bool) -> Result<Expression, Fault> {
        self.expect_symbol("(")?;
        let (value, of) = if cast {
            let value = self.expression()?;
            self.expect("AS")?;
            (value, self.of_type()?)
        } else {
            let of = self.of_type()?;
            self.expect_symbol(",")?;
            (self.expression()?, of)
        };
        if self.accept_symbol(",") {
            self.expression()?;
        }
        self.expect_symbol(")")?;
        Ok(Expression::Convert(thirty(of), value.into()))
    }

    fn call(&mut self, name: String) -> Result<Expression, Fault> {
        self.expect_symbol("(")?;
        let aggregate = AGGREGATES.contains(&name.as_str());
        if aggregate && self.accept_symbol("*") {
            self.expect_symbol(")")?;
            return Ok(Expression::Aggregate(name, None));
        }
        let arguments = match self.at_symbol(")") {
            true => Vec::new(),
            false => self.list(Parser::expression)?,
        };
        self.expect_symbol(")")?;
        if aggregate {
            let argument = arguments.into_iter().next().map(Box::new);
            return Ok(Expression::Aggregate(name, argument));
        }
        known_function(&name)?;
        Ok(Expression::Call(name, arguments))
    }
}

fn negated(not: bool, condition: Expression) -> Expression {
    if not { Expression::Not(condition.into()) } else { condition }
}

fn number(digits: &str) -> Result<Datum, Fault> {
    if let Ok(value) = digits.parse::<i32>() {
        return Ok(Datum::int(value));
    }
    if let Ok(value) = digits.parse::<i64>() {
        return Ok(Datum::Integer(Type::BigInt, Some(value)));
    }
    let value = digits.parse().map_err(|_| Fault::syntax(digits))?;
    Ok(Datum::Float(Some(value)))
}

/// A conversion to a text type without a length is to one of thirty characters.
fn thirty(of: Type) -> Type {
    match of {
        Type::VarChar(1) => Type::VarChar(30),
        Type::NVarChar(1) => Type::NVarChar(30),
        other => other,
    }
}

/// What stands behind the last dot of a name.
pub(crate) fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn known_function(name: &str) -> Result<(), Fault> {
    if crate::function::NAMES.contains(&name) {
        return Ok(());
    }
    let message = format!("'{name}' is not a recognized built-in function name.");
    Err(Fault::new(195, message).class(15).state(10).ending())
}
