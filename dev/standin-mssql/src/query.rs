//! What a query finds.

use std::cmp::Ordering;

use crate::catalog;
use crate::datum::{Datum, Type};
use crate::evaluate::{Row, Scope};
use crate::fault::Fault;
use crate::syntax::{Case, Expression, Item, Select};
use crate::table::kept_as;

/// Columns, and rows under them.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) columns: Vec<(String, Type)>,
    pub(crate) rows: Vec<Vec<Datum>>,
}

impl Found {
    fn drop_doubles(&mut self) {
        let mut seen: Vec<Vec<Datum>> = Vec::new();
        self.rows.retain(|row| {
            let new = !seen.contains(row);
            seen.push(row.clone());
            new
        });
    }
}

impl Scope<'_> {
    /// Runs a query whose items are values.
    pub(crate) fn select(&self, query: &Select) -> Result<Found, Fault> {
        let mut from = self.from(query.source.as_deref())?;
        let mut kept = Vec::new();
        for row in from.rows {
            if self.over(Row::new(&from.columns, &row)).passes(query.filter.as_ref())? {
                kept.push(row);
            }
        }
        from.rows = kept;
        self.sort(query, &mut from)?;
        let mut found = if query.items.iter().any(|item| aggregates(value_of(item))) {
            self.one_group(query, &from)?
        } else {
            self.each_row(query, &from)?
        };
        if query.distinct {
            found.drop_doubles();
        }
        if let Some(top) = &query.top {
            let count = self.value(top)?.as_integer()?.unwrap_or_default();
            found.rows.truncate(usize::try_from(count).unwrap_or_default());
        }
        Ok(found)
    }

    /// The first value of the first row, NULL without one.
    pub(crate) fn scalar(&self, query: &Select) -> Result<Datum, Fault> {
        let found = self.select(query)?;
        if found.rows.len() > 1 {
            let message = "Subquery returned more than 1 value. This is not permitted when the subquery follows =, !=, <, <= , >, >= or when the subquery is used as an expression.";
            return Err(Fault::new(512, message));
        }
        let of = found.columns.first().map_or(Type::Int, |column| column.1);
        let first = found.rows.into_iter().next().and_then(|row| row.into_iter().next());
        Ok(first.unwrap_or(of.null()))
    }

    /// The rows of a source; one without columns where there is no source.
    fn from(&self, source: Option<&str>) -> Result<Found, Fault> {
        let Some(name) = source else {
            return Ok(Found { columns: Vec::new(), rows: vec![Vec::new()] });
        };
        self.may_view(name)?;
        if let Some(found) = catalog::view(self.engine, name) {
            return Ok(found);
        }
        let state = self.engine.state();
        let table = state.tables.get(&kept_as(name, self.session.id));
        let table = table.ok_or_else(|| Fault::invalid_object(name))?;
        Ok(Found { columns: table.columns.clone(), rows: table.rows.values().cloned().collect() })
    }

    fn sort(&self, query: &Select, from: &mut Found) -> Result<(), Fault> {
        let mut keyed = Vec::new();
        for row in from.rows.drain(..) {
            let scope = self.over(Row::new(&from.columns, &row));
            let keys: Result<Vec<_>, _> =
                query.order.iter().map(|(key, _)| scope.value(key)).collect();
            keyed.push((keys?, row));
        }
        keyed.sort_by(|(left, _), (right, _)| {
            let pairs = left.iter().zip(right).zip(&query.order);
            pairs
                .map(|((left, right), (_, descending))| {
                    let order = nulls_first(left, right);
                    if *descending { order.reverse() } else { order }
                })
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        });
        from.rows = keyed.into_iter().map(|(_, row)| row).collect();
        Ok(())
    }

    fn each_row(&self, query: &Select, from: &Found) -> Result<Found, Fault> {
        let nulls: Vec<Datum> = from.columns.iter().map(|(_, of)| of.null()).collect();
        let mut rows = Vec::new();
        for row in &from.rows {
            rows.push(self.over(Row::new(&from.columns, row)).items(query, row)?);
        }
        let sample = match rows.first() {
            Some(row) => row.clone(),
            None => self.over(Row::new(&from.columns, &nulls)).items(query, &nulls)?,
        };
        Ok(Found { columns: named(query, from, &sample), rows })
    }

    fn one_group(&self, query: &Select, from: &Found) -> Result<Found, Fault> {
        let nulls: Vec<Datum> = from.columns.iter().map(|(_, of)| of.null()).collect();
        let scope = Scope { group: Some(&from.rows), ..self.over(Row::new(&from.columns, &nulls)) };
        let row = scope.items(query, &nulls)?;
        Ok(Found { columns: named(query, from, &row), rows: vec![row] })
    }

    fn items(&self, query: &Select, row: &[Datum]) -> Result<Vec<Datum>, Fault> {
        let mut values = Vec::new();
        for item in &query.items {
            match item {
                Item::All => values.extend_from_slice(row),
                Item::Value(value, _) | Item::Assign(_, value) => values.push(self.value(value)?),
            }
        }
        Ok(values)
    }

    pub(crate) fn aggregate(&self, name: &str, of: Option<&Expression>) -> Result<Datum, Fault> {
        let (Some(group), Some(row)) = (self.group, self.row) else {
            let message = "An aggregate may not appear here.";
            return Err(Fault::new(147, message).class(15).ending());
        };
        let mut values = Vec::new();
        for values_of_row in group {
            let scope = self.over(row.with(values_of_row));
            let value = match of {
                Some(of) => scope.value(of)?,
                None => Datum::int(1),
            };
            if !value.is_null() {
                values.push(value);
            }
        }
        fold(name, &values)
    }
}

impl<'a> Row<'a> {
    /// Another row under the same columns.
    fn with(self, values: &'a [Datum]) -> Row<'a> {
        Row::new(self.columns(), values)
    }
}

fn fold(name: &str, values: &[Datum]) -> Result<Datum, Fault> {
    let count = i64::try_from(values.len()).unwrap_or_default();
    match name {
        "count" => Ok(Datum::Integer(Type::Int, Some(count))),
        "count_big" => Ok(Datum::Integer(Type::BigInt, Some(count))),
        "sum" => {
            let mut total = None;
            for value in values {
                total = Some(total.unwrap_or(0) + value.as_integer()?.unwrap_or_default());
            }
            Datum::Integer(Type::BigInt, total).convert(Type::Int)
        }
        _ => {
            let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
            let mut best: Option<&Datum> = None;
            for value in values {
                if best.is_none_or(|best| nulls_first(value, best) == wanted) {
                    best = Some(value);
                }
            }
            Ok(best.cloned().unwrap_or(Type::Int.null()))
        }
    }
}

fn nulls_first(left: &Datum, right: &Datum) -> Ordering {
    let known = left.compare(right).ok().flatten();
    known.unwrap_or_else(|| right.is_null().cmp(&left.is_null()))
}

fn named(query: &Select, from: &Found, sample: &[Datum]) -> Vec<(String, Type)> {
    let mut names = Vec::new();
    for item in &query.items {
        match item {
            Item::All => names.extend(from.columns.iter().map(|(name, _)| name.clone())),
            Item::Value(_, name) | Item::Assign(name, _) => names.push(name.clone()),
        }
    }
    names.into_iter().zip(sample.iter().map(Datum::of_type)).collect()
}

fn value_of(item: &Item) -> Option<&Expression> {
    match item {
        Item::All => None,
        Item::Value(value, _) | Item::Assign(_, value) => Some(value),
    }
}

/// Whether an aggregate of this query, not of a query within, is in the expression.
fn aggregates(expression: Option<&Expression>) -> bool {
    let Some(expression) = expression else {
        return false;
    };
    let one = |inner: &Expression| aggregates(Some(inner));
    match expression {
        Expression::Aggregate(..) => true,
        Expression::Negative(a) | Expression::Not(a) | Expression::IsNull(a) => one(a),
        Expression::Convert(_, a) => one(a),
        Expression::Arithmetic(_, a, b) | Expression::Comparison(_, a, b) => one(a) || one(b),
        Expression::And(a, b) | Expression::Or(a, b) | Expression::Like(a, b) => one(a) || one(b),
        Expression::Call(_, all) => all.iter().any(one),
        Expression::Case(Case { branches, otherwise, .. }) => {
            branches.iter().any(|(when, then)| one(when) || one(then))
                || otherwise.as_deref().is_some_and(one)
        }
        _ => false,
    }
}
