//! What an expression comes to.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::datum::{Datum, Type, folded};
use crate::engine::Engine;
use crate::fault::Fault;
use crate::session::Session;
use crate::syntax::{Case, Expression, Select};

/// One row, with the names of its columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    columns: &'a [(String, Type)],
    values: &'a [Datum],
}

impl<'a> Row<'a> {
    pub(crate) fn columns(self) -> &'a [(String, Type)] {
        self.columns
    }

    pub(crate) fn new(columns: &'a [(String, Type)], values: &'a [Datum]) -> Row<'a> {
        Row { columns, values }
    }
}

/// What an expression can see.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) session: &'a Session,
    pub(crate) variables: &'a BTreeMap<String, Datum>,
    pub(crate) caught: Option<&'a Fault>,
    pub(crate) row: Option<Row<'a>>,
    /// The rows that an aggregate is over.
    pub(crate) group: Option<&'a [Vec<Datum>]>,
}

impl<'a> Scope<'a> {
    /// The same, looking at this row.
    pub(crate) fn over(self, row: Row<'a>) -> Scope<'a> {
        Scope { row: Some(row), ..self }
    }

    /// Whether a WHERE lets the row through.
    pub(crate) fn passes(&self, filter: Option<&Expression>) -> Result<bool, Fault> {
        match filter {
            None => Ok(true),
            Some(condition) => Ok(self.truth(condition)? == Some(true)),
        }
    }

    pub(crate) fn value(&self, expression: &Expression) -> Result<Datum, Fault> {
        match expression {
            Expression::Literal(datum) => Ok(datum.clone()),
            Expression::Variable(name) => {
                let value = self.variables.get(name).cloned();
                value.ok_or_else(|| Fault::undeclared(name))
            }
            Expression::Global(name) => self.global(name),
            Expression::Column(name) => self.column(name),
            Expression::Negative(inner) => {
                self.arithmetic("-", &Datum::int(0), &self.value(inner)?)
            }
            Expression::Arithmetic(symbol, left, right) => {
                self.arithmetic(symbol, &self.value(left)?, &self.value(right)?)
            }
            Expression::Case(case) => self.case(case),
            Expression::Convert(of, inner) => self.value(inner)?.convert(*of),
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::Query(query) => self.scalar(query),
            Expression::Aggregate(name, of) => self.aggregate(name, of.as_deref()),
            _ => Err(Fault::syntax("=")),
        }
    }

    /// A condition's truth, `None` where it is unknown.
    pub(crate) fn truth(&self, condition: &Expression) -> Result<Option<bool>, Fault> {
        match condition {
            Expression::And(left, right) => self.either(left, right, false),
            Expression::Or(left, right) => self.either(left, right, true),
            Expression::Not(inner) => Ok(self.truth(inner)?.map(|inner| !inner)),
            Expression::IsNull(inner) => Ok(Some(self.value(inner)?.is_null())),
            Expression::Comparison(symbol, left, right) => {
                let order = self.value(left)?.compare(&self.value(right)?)?;
                Ok(order.map(|order| holds(symbol, order)))
            }
            Expression::Like(text, pattern) => self.like(text, pattern),
            Expression::Between(value, low, high) => self.between(value, low, high),
            Expression::Within(value, all) => self.within_list(value, all),
            Expression::WithinQuery(value, query) => self.within_query(value, query),
            Expression::Exists(query) => Ok(Some(!self.select(query)?.rows.is_empty())),
            _ => {
                let message = "An expression of non-boolean type specified in a context where a condition is expected.";
                Err(Fault::new(4145, message).class(15).ending())
            }
        }
    }

    /// AND and OR: one side that `decides` is enough, and the other then is not looked at.
    fn either(
        &self,
        left: &Expression,
        right: &Expression,
        decides: bool,
    ) -> Result<Option<bool>, Fault> {
        match self.truth(left)? {
            Some(truth) if truth == decides => Ok(Some(decides)),
            Some(_) => self.truth(right),
            None => Ok(self.truth(right)?.filter(|right| *right == decides)),
        }
    }

    fn within_list(&self, value: &Expression, all: &[Expression]) -> Result<Option<bool>, Fault> {
        let all: Result<Vec<_>, _> = all.iter().map(|one| self.value(one)).collect();
        self.within(value, &all?)
    }

    fn within_query(&self, value: &Expression, query: &Select) -> Result<Option<bool>, Fault> {
        let rows = self.select(query)?.rows.into_iter();
        let all: Vec<_> = rows.filter_map(|row| row.into_iter().next()).collect();
        self.within(value, &all)
    }

    fn column(&self, name: &str) -> Result<Datum, Fault> {
        let row = self.row.ok_or_else(|| Fault::invalid_column(name))?;
        let place = row.columns.iter().position(|(column, _)| column.eq_ignore_ascii_case(name));
        let place = place.ok_or_else(|| Fault::invalid_column(name))?;
        Ok(row.values[place].clone())
    }

    fn global(&self, name: &str) -> Result<Datum, Fault> {
        let integer = |value: i64, of| Ok(Datum::Integer(of, Some(value)));
        match name {
            "@@spid" => integer(self.session.id.into(), Type::SmallInt),
            "@@trancount" => integer(self.session.transactions.into(), Type::Int),
            "@@lock_timeout" => integer(self.session.lock_timeout.into(), Type::Int),
            "@@error" => integer(self.session.error.into(), Type::Int),
            "@@rowcount" => {
                integer(i64::try_from(self.session.rows).unwrap_or(i64::MAX), Type::Int)
            }
            "@@servername" => Ok(Datum::text("STANDIN")),
            "@@version" => Ok(Datum::text("Stand-in for Microsoft SQL Server 2022 - 16.0.4096.0")),
            _ => Err(Fault::undeclared(name)),
        }
    }

    fn arithmetic(&self, symbol: &str, left: &Datum, right: &Datum) -> Result<Datum, Fault> {
        let of = left.of_type().stronger(right.of_type());
        match of {
            Type::VarChar(_) | Type::NVarChar(_) => joined(of, left, right),
            _ if left.is_null() || right.is_null() => Ok(of.null()),
            Type::Float => floating(symbol, left, right),
            _ => whole(symbol, of, left, right),
        }
    }

    fn case(&self, case: &Case) -> Result<Datum, Fault> {
        for (when, then) in &case.branches {
            let taken = match &case.of {
                None => self.truth(when)?,
                Some(of) => {
                    let order = self.value(of)?.compare(&self.value(when)?)?;
                    order.map(|order| order == Ordering::Equal)
                }
            };
            if taken == Some(true) {
                return self.value(then);
            }
        }
        match &case.otherwise {
            Some(otherwise) => self.value(otherwise),
            None => Ok(Type::Int.null()),
        }
    }

    fn between(
        &self,
        value: &Expression,
        low: &Expression,
        high: &Expression,
    ) -> Result<Option<bool>, Fault> {
        let value = self.value(value)?;
        let above = value.compare(&self.value(low)?)?;
        let below = value.compare(&self.value(high)?)?;
        Ok(above
            .zip(below)
            .map(|(above, below)| above != Ordering::Less && below != Ordering::Greater))
    }

    fn within(&self, value: &Expression, all: &[Datum]) -> Result<Option<bool>, Fault> {
        let value = self.value(value)?;
        let mut unknown = value.is_null();
        for one in all {
            match value.compare(one)? {
                Some(Ordering::Equal) => return Ok(Some(true)),
                None => unknown = true,
                Some(_) => {}
            }
        }
        Ok(if unknown { None } else { Some(false) })
    }

    fn like(&self, text: &Expression, pattern: &Expression) -> Result<Option<bool>, Fault> {
        let (text, pattern) = (self.value(text)?.as_text(), self.value(pattern)?.as_text());
        Ok(text.zip(pattern).map(|(text, pattern)| {
            let text: Vec<char> = folded(&text).chars().collect();
            let pattern: Vec<char> = folded(&pattern).chars().collect();
            matches(&text, &pattern)
        }))
    }
}

fn holds(symbol: &str, order: Ordering) -> bool {
    match symbol {
        "=" => order == Ordering::Equal,
        "<" => order == Ordering::Less,
        ">" => order == Ordering::Greater,
        "<=" => order != Ordering::Greater,
        ">=" => order != Ordering::Less,
        _ => order != Ordering::Equal,
    }
}

fn joined(of: Type, left: &Datum, right: &Datum) -> Result<Datum, Fault> {
    let long = match of {
        Type::VarChar(_) => Type::VarChar(8000),
        _ => Type::NVarChar(4000),
    };
    let joined = left.as_text().zip(right.as_text()).map(|(left, right)| left + &right);
    Datum::Text(long, joined).convert(long)
}

fn floating(symbol: &str, left: &Datum, right: &Datum) -> Result<Datum, Fault> {
    let (Datum::Float(Some(left)), Datum::Float(Some(right))) =
        (left.convert(Type::Float)?, right.convert(Type::Float)?)
    else {
        return Ok(Type::Float.null());
    };
    Ok(Datum::Float(Some(match symbol {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left % right,
    })))
}

fn whole(symbol: &str, of: Type, left: &Datum, right: &Datum) -> Result<Datum, Fault> {
    let (left, right) = (left.as_integer()?, right.as_integer()?);
    let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
    if matches!(symbol, "/" | "%") && right == 0 {
        return Err(Fault::new(8134, "Divide by zero error encountered."));
    }
    let result = match symbol {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        "&" => Some(left & right),
        "|" => Some(left | right),
        _ => Some(left ^ right),
    };
    let result = result.ok_or_else(|| Fault::overflow(of))?;
    Datum::Integer(Type::BigInt, Some(result)).convert(of)
}

/// Whether a text is like a pattern of `%`, `_` and `[…]`.
fn matches(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| matches(&text[skip..], rest)),
        Some(('[', rest)) => {
            let Some(end) = rest.iter().position(|c| *c == ']') else {
                return false;
            };
            let fits = text.first().is_some_and(|first| rest[..end].contains(first));
            fits && matches(&text[1..], &rest[end + 1..])
        }
        Some((wanted, rest)) => {
            let fits = text.first().is_some_and(|first| *wanted == '_' || first == wanted);
            fits && matches(&text[1..], rest)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_know_their_wildcards() {
        let like = |text: &str, pattern: &str| {
            let text: Vec<char> = text.chars().collect();
            matches(&text, &pattern.chars().collect::<Vec<_>>())
        };
        assert!(like("0:[job]:(ab)", "%[[]job]%"));
        assert!(like("abc", "a_c") && like("abc", "%") && !like("abc", "b%"));
    }
}
