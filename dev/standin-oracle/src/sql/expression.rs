//! The values of expressions.

use super::ast::{Expression, Invocation, Operator, Path};
use super::machine::Machine;
use super::query::Row;
use super::value::Value;
use crate::fault::Fault;

impl Machine<'_> {
    pub(crate) fn evaluate(&mut self, expression: &Expression) -> Result<Value, Fault> {
        match expression {
            Expression::Null => Ok(Value::Null),
            Expression::Number(number) => Ok(Value::Number(*number)),
            Expression::Text(text) => Ok(Value::Text(text.clone())),
            Expression::Bool(flag) => Ok(Value::Bool(*flag)),
            Expression::Interval(seconds) => Ok(Value::Interval(*seconds)),
            Expression::Instant(seconds) => Ok(Value::Instant(*seconds)),
            Expression::Bind(name) => self.bound(name),
            Expression::Name(path) => self.named(path),
            Expression::Call(invocation) => self.invoke(invocation),
            Expression::CountAll => Ok(self.count.map_or(Value::Null, Value::Number)),
            Expression::Not(inner) => self.evaluate(inner).map(negate),
            Expression::Negative(inner) => Ok(Value::Number(-self.evaluate(inner)?.number()?)),
            Expression::IsNull(inner, negated) => {
                let null = self.evaluate(inner)? == Value::Null;
                Ok(Value::Bool(null != *negated))
            }
            Expression::In(left, members) => self.member(left, members),
            Expression::Between(left, low, high) => self.between(left, low, high),
            Expression::Binary(operator, left, right, _) => self.binary(*operator, left, right),
            Expression::Case(arms, otherwise) => self.case(arms, otherwise.as_deref()),
            Expression::Extract(unit, from) => self.extract(unit, from),
        }
    }

    fn bound(&self, name: &str) -> Result<Value, Fault> {
        let bind = self.binds.iter().find(|bind| bind.name == name);
        let bind = bind.ok_or_else(|| Fault::new(1008, "not all variables bound"))?;
        Ok(bind.value.clone())
    }

    /// A column, then a variable, then a function without arguments.
    fn named(&mut self, path: &Path) -> Result<Value, Fault> {
        let cell = |row: &Row| row.get(&path.dotted()).or_else(|| row.get(path.last())).cloned();
        let column = self.row.as_ref().and_then(cell);
        if let Some(value) = column {
            return Ok(value);
        }
        if let Some(value) = self.variable(path.last()) {
            return Ok(value);
        }
        self.invoke(&Invocation { path: path.clone(), arguments: Vec::new() })
    }

    fn member(&mut self, left: &Expression, members: &[Expression]) -> Result<Value, Fault> {
        let left = self.evaluate(left)?;
        for member in members {
            let member = self.evaluate(member)?;
            if compare(Operator::Equal, &left, &member)?.is_true() {
                return Ok(Value::Bool(true));
            }
        }
        Ok(Value::Bool(false))
    }

    fn between(
        &mut self,
        left: &Expression,
        low: &Expression,
        high: &Expression,
    ) -> Result<Value, Fault> {
        let left = self.evaluate(left)?;
        let above = compare(Operator::GreaterOrEqual, &left, &self.evaluate(low)?)?;
        let below = compare(Operator::LessOrEqual, &left, &self.evaluate(high)?)?;
        Ok(both(above, below))
    }

    fn case(
        &mut self,
        arms: &[(Expression, Expression)],
        otherwise: Option<&Expression>,
    ) -> Result<Value, Fault> {
        for (condition, value) in arms {
            if self.evaluate(condition)?.is_true() {
                return self.evaluate(value);
            }
        }
        otherwise.map_or(Ok(Value::Null), |otherwise| self.evaluate(otherwise))
    }

    /// A part of an interval, or of the time of day.
    fn extract(&mut self, unit: &str, from: &Expression) -> Result<Value, Fault> {
        let (Value::Interval(seconds) | Value::Instant(seconds)) = self.evaluate(from)? else {
            return Err(Fault::new(30076, "invalid extract field for extract source"));
        };
        let part = match unit {
            "SECOND" => seconds % 60.0,
            "MINUTE" => (seconds / 60.0).trunc() % 60.0,
            "HOUR" => (seconds / 3600.0).trunc() % 24.0,
            "DAY" => (seconds / 86_400.0).trunc(),
            _ => return Err(Fault::new(30076, "invalid extract field for extract source")),
        };
        Ok(Value::Number(part))
    }

    fn binary(
        &mut self,
        operator: Operator,
        left: &Expression,
        right: &Expression,
    ) -> Result<Value, Fault> {
        let left = self.evaluate(left)?;
        match (operator, &left) {
            (Operator::And, Value::Bool(false)) | (Operator::Or, Value::Bool(true)) => {
                return Ok(left);
            }
            _ => {}
        }
        let right = self.evaluate(right)?;
        match operator {
            Operator::And => Ok(both(left, right)),
            Operator::Or => Ok(negate(both(negate(left), negate(right)))),
            Operator::Concatenate => Ok(Value::Text(left.text() + &right.text())),
            Operator::Add | Operator::Subtract | Operator::Multiply | Operator::Divide => {
                arithmetic(operator, &left, &right)
            }
            _ => compare(operator, &left, &right),
        }
    }
}

fn negate(value: Value) -> Value {
    match value {
        Value::Bool(flag) => Value::Bool(!flag),
        _ => Value::Null,
    }
}

/// AND with three truth values.
fn both(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        (Value::Bool(true), Value::Bool(true)) => Value::Bool(true),
        _ => Value::Null,
    }
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Fault> {
    if *left == Value::Null || *right == Value::Null {
        return Ok(Value::Null);
    }
    let (first, second) = (magnitude(left)?, magnitude(right)?);
    let result = match operator {
        Operator::Add => first + second,
        Operator::Subtract => first - second,
        Operator::Multiply => first * second,
        _ if second == 0.0 => return Err(Fault::new(1476, "divisor is equal to zero")),
        _ => first / second,
    };
    Ok(match (left, right) {
        (Value::Instant(_), Value::Instant(_)) => Value::Interval(result),
        (Value::Instant(_), _) | (_, Value::Instant(_)) => Value::Instant(result),
        (Value::Interval(_), _) | (_, Value::Interval(_)) => Value::Interval(result),
        _ => Value::Number(result),
    })
}

fn magnitude(value: &Value) -> Result<f64, Fault> {
    match value {
        Value::Instant(seconds) | Value::Interval(seconds) => Ok(*seconds),
        other => other.number(),
    }
}

fn compare(operator: Operator, left: &Value, right: &Value) -> Result<Value, Fault> {
    let ordering = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return Ok(Value::Null),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (left, right) => magnitude(left)?.total_cmp(&magnitude(right)?),
    };
    Ok(Value::Bool(match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::Unequal => ordering.is_ne(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    }))
}
