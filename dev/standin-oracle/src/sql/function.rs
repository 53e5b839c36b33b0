//! Functions of their arguments alone.

use super::signature::Scalar;
use super::value::Value;
use crate::fault::Fault;

pub(crate) fn apply(scalar: Scalar, given: &[Value]) -> Result<Value, Fault> {
    let first = given.first().unwrap_or(&Value::Null);
    let second = given.get(1).unwrap_or(&Value::Null);
    match scalar {
        Scalar::Nvl if *first == Value::Null => Ok(second.clone()),
        Scalar::Nvl => Ok(first.clone()),
        _ if *first == Value::Null => Ok(Value::Null),
        Scalar::ToChar => Ok(Value::Text(first.text())),
        Scalar::Upper => Ok(Value::Text(first.text().to_uppercase())),
        Scalar::Lower => Ok(Value::Text(first.text().to_lowercase())),
        Scalar::Length => {
            let letters = u32::try_from(first.text().chars().count()).unwrap_or(u32::MAX);
            Ok(Value::Number(f64::from(letters)))
        }
        Scalar::Substring => substring(&first.text(), second, given.get(2)),
        Scalar::ToSecondInterval => interval(first.number()?, &second.text()),
        _ => numeric(scalar, first.number()?, second),
    }
}

/// Bytes from a place on, which begins at 1. The client sends ASCII where it counts bytes.
fn substring(text: &str, from: &Value, length: Option<&Value>) -> Result<Value, Fault> {
    let whole = |value: &Value| value.integer().map(|number| usize::try_from(number).unwrap_or(0));
    let (from, length) = (whole(from)?.max(1) - 1, length.map_or(Ok(0), whole)?);
    let part = text.bytes().skip(from).take(length).collect();
    Ok(String::from_utf8(part)
        .ok()
        .filter(|part| !part.is_empty())
        .map_or(Value::Null, Value::Text))
}

fn numeric(scalar: Scalar, first: f64, second: &Value) -> Result<Value, Fault> {
    let result = match scalar {
        Scalar::Round => {
            let factor = 10_f64.powf(second.number()?);
            (first * factor).round() / factor
        }
        Scalar::Trunc => first.trunc(),
        Scalar::Ceil => first.ceil(),
        Scalar::Floor => first.floor(),
        Scalar::Abs => first.abs(),
        Scalar::Mod => first % second.number()?,
        Scalar::Least => first.min(second.number()?),
        Scalar::Greatest => first.max(second.number()?),
        _ => first,
    };
    Ok(Value::Number(result))
}

fn interval(amount: f64, unit: &str) -> Result<Value, Fault> {
    let seconds = match unit.to_uppercase().as_str() {
        "SECOND" => 1.0,
        "MINUTE" => 60.0,
        "HOUR" => 3600.0,
        "DAY" => 86_400.0,
        _ => return Err(Fault::new(1760, "illegal argument for function")),
    };
    Ok(Value::Interval(amount * seconds))
}
