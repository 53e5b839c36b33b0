//! The types of expressions.

use super::Checker;
use crate::fault::{Fault, Place};
use crate::sql::ast::{Expression, Invocation, Operator, Path};
use crate::sql::signature;
use crate::sql::value::Type;

impl Checker<'_> {
    pub(super) fn condition(&self, condition: &Expression) -> Result<(), Fault> {
        self.fits(Type::Bool, condition, Place { line: 1, column: 1 })
    }

    pub(super) fn fits(&self, wanted: Type, value: &Expression, place: Place) -> Result<(), Fault> {
        let given = self.kind(value)?;
        if wanted.accepts(given) {
            return Ok(());
        }
        Err(Fault::compile(place, 382, "expression is of wrong type"))
    }

    pub(super) fn kind(&self, expression: &Expression) -> Result<Type, Fault> {
        match expression {
            Expression::Null => Ok(Type::Any),
            Expression::Number(_) | Expression::CountAll => Ok(Type::Number),
            Expression::Text(_) => Ok(Type::Text),
            Expression::Bool(value) => self.truth(*value),
            Expression::Instant(_) => Ok(Type::Instant),
            Expression::Interval(_) => Ok(Type::Interval),
            Expression::Bind(name) => self.bind(name),
            Expression::Name(path) => self.name(path),
            Expression::Call(invocation) => self.function(invocation),
            Expression::Not(inner) => self.condition(inner).map(|()| Type::Bool),
            Expression::Negative(inner) => self.number(inner),
            Expression::IsNull(inner, _) => self.kind(inner).map(|_| Type::Bool),
            Expression::In(left, members) => self.alike(left, members.iter()),
            Expression::Between(left, low, high) => self.alike(left, [&**low, &**high].into_iter()),
            Expression::Binary(operator, left, right, place) => {
                self.binary(*operator, left, right, *place)
            }
            Expression::Case(arms, otherwise) => self.case(arms, otherwise.as_deref()),
            Expression::Extract(_, from) => self.kind(from).map(|_| Type::Number),
        }
    }

    fn truth(&self, value: bool) -> Result<Type, Fault> {
        if self.is_sql {
            let name = if value { "TRUE" } else { "FALSE" };
            return Err(Fault::new(904, format!("\"{name}\": invalid identifier")));
        }
        Ok(Type::Bool)
    }

    fn name(&self, path: &Path) -> Result<Type, Fault> {
        if let Some((kind, _)) = self.variable(path) {
            return Ok(kind);
        }
        if self.is_sql && !signature::is_known(path) {
            return Err(Fault::new(904, format!("\"{}\": invalid identifier", path.dotted())));
        }
        self.function(&Invocation { path: path.clone(), arguments: Vec::new() })
    }

    fn function(&self, invocation: &Invocation) -> Result<Type, Fault> {
        let path = &invocation.path;
        let returned = self.call(invocation)?;
        returned.ok_or_else(|| {
            let text = format!("procedure '{}' is used as an expression", path.last());
            Fault::compile(path.place, 222, text)
        })
    }

    fn number(&self, inner: &Expression) -> Result<Type, Fault> {
        self.fits(Type::Number, inner, Place { line: 1, column: 1 }).map(|()| Type::Number)
    }

    fn alike<'e>(
        &self,
        left: &Expression,
        others: impl Iterator<Item = &'e Expression>,
    ) -> Result<Type, Fault> {
        let wanted = self.kind(left)?;
        for other in others {
            self.fits(wanted, other, Place { line: 1, column: 1 })?;
        }
        Ok(Type::Bool)
    }

    fn case(
        &self,
        arms: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) -> Result<Type, Fault> {
        let mut kind = Type::Any;
        for (condition, value) in arms {
            self.condition(condition)?;
            kind = self.kind(value)?;
        }
        match otherwise {
            Some(value) => self.kind(value),
            None => Ok(kind),
        }
    }

    fn binary(
        &self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
        place: Place,
    ) -> Result<Type, Fault> {
        use Operator::{Add, And, Concatenate, Divide, Multiply, Or, Subtract};
        let (left, right) = (self.kind(left)?, self.kind(right)?);
        let wrong = || {
            let text = "wrong number or types of arguments in call to an operator";
            Fault::compile(place, 306, text)
        };
        match operator {
            And | Or if Type::Bool.accepts(left) && Type::Bool.accepts(right) => Ok(Type::Bool),
            Concatenate if left != Type::Bool && right != Type::Bool => Ok(Type::Text),
            Add | Subtract | Multiply | Divide => {
                arithmetic(operator, left, right).ok_or_else(wrong)
            }
            And | Or | Concatenate => Err(wrong()),
            _ if left.accepts(right) => Ok(Type::Bool),
            _ => Err(wrong()),
        }
    }
}

fn arithmetic(operator: Operator, left: Type, right: Type) -> Option<Type> {
    use Type::{Any, Instant, Integer, Interval, Number, Text};
    let numeric = |kind| matches!(kind, Any | Number | Integer | Text);
    match (operator, left, right) {
        (Operator::Add, Instant, Interval) | (Operator::Add, Interval, Instant) => Some(Instant),
        (Operator::Subtract, Instant, Interval) => Some(Instant),
        (Operator::Subtract, Instant, Instant) => Some(Interval),
        (Operator::Add | Operator::Subtract, Interval, Interval) => Some(Interval),
        (Operator::Multiply | Operator::Divide, Interval, right) if numeric(right) => {
            Some(Interval)
        }
        (Operator::Multiply, left, Interval) if numeric(left) => Some(Interval),
        (_, left, right) if numeric(left) && numeric(right) => Some(Number),
        _ => None,
    }
}
