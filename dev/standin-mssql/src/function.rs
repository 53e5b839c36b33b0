//! The built-in functions.

use crate::applock;
use crate::datum::{Datum, Type, folded};
use crate::engine::DATABASES;
use crate::evaluate::Scope;
use crate::fault::Fault;
use crate::syntax::Expression;
use crate::table::kept_as;

/// Every function that is known, in lower case.
pub(crate) const NAMES: [&str; 41] = [
    "abs",
    "app_name",
    "applock_mode",
    "applock_test",
    "charindex",
    "coalesce",
    "concat",
    "databasepropertyex",
    "datalength",
    "datediff",
    "db_id",
    "db_name",
    "error_message",
    "error_number",
    "error_procedure",
    "error_severity",
    "error_state",
    "getdate",
    "getutcdate",
    "has_perms_by_name",
    "host_name",
    "iif",
    "isnull",
    "left",
    "len",
    "lower",
    "ltrim",
    "nullif",
    "object_id",
    "quotename",
    "replace",
    "replicate",
    "reverse",
    "right",
    "rtrim",
    "serverproperty",
    "substring",
    "suser_name",
    "upper",
    "user_name",
    "xact_state",
];

impl Scope<'_> {
    pub(crate) fn call(&self, name: &str, arguments: &[Expression]) -> Result<Datum, Fault> {
        match name {
            "coalesce" => self.first_of(arguments),
            "datediff" => self.difference(arguments),
            "iif" => {
                let taken = self.truth(argument(arguments, 0)?)? == Some(true);
                self.value(argument(arguments, if taken { 1 } else { 2 })?)
            }
            _ => {
                let values: Result<Vec<_>, _> =
                    arguments.iter().map(|one| self.value(one)).collect();
                self.apply(name, &values?)
            }
        }
    }

    fn first_of(&self, arguments: &[Expression]) -> Result<Datum, Fault> {
        let mut last = Type::Int.null();
        for one in arguments {
            last = self.value(one)?;
            if !last.is_null() {
                break;
            }
        }
        Ok(last)
    }

    fn apply(&self, name: &str, values: &[Datum]) -> Result<Datum, Fault> {
        match name {
            "applock_mode" => applock::mode(self, values),
            "applock_test" => applock::test(self, values),
            "error_number" | "error_message" | "error_procedure" | "error_severity"
            | "error_state" => Ok(self.error(name)),
            "xact_state" | "db_id" | "db_name" | "object_id" | "host_name" | "app_name"
            | "suser_name" | "user_name" => self.about(name, values),
            "databasepropertyex" | "getdate" | "getutcdate" | "has_perms_by_name"
            | "serverproperty" => Ok(self.property(name, values)),
            "isnull" | "nullif" | "abs" => choice(name, values),
            _ => text(name, values),
        }
    }

    /// What is being caught, NULL outside CATCH.
    fn error(&self, name: &str) -> Datum {
        let number = |value: u32| Datum::Integer(Type::Int, Some(value.into()));
        match (self.caught, name) {
            (None, "error_message" | "error_procedure") => Type::NVarChar(4000).null(),
            (None, _) => Type::Int.null(),
            (Some(fault), "error_number") => number(fault.number),
            (Some(fault), "error_severity") => number(fault.class.into()),
            (Some(fault), "error_state") => number(fault.state.into()),
            (Some(fault), "error_procedure") => Datum::text(&fault.procedure),
            (Some(fault), _) => Datum::text(&fault.message),
        }
    }

    /// What the session and the server say of themselves.
    fn about(&self, name: &str, values: &[Datum]) -> Result<Datum, Fault> {
        Ok(match name {
            "xact_state" => {
                let open = i64::from(self.session.transactions > 0);
                let sign = if self.session.doomed { -1 } else { 1 };
                Datum::Integer(Type::SmallInt, Some(sign * open))
            }
            "db_name" => match values.first() {
                Some(id) => database_name(id)?,
                None => Datum::text(self.session.database),
            },
            "db_id" => database_id(&given(values, 0).unwrap_or(self.session.database.to_owned())),
            "object_id" => {
                let kept =
                    kept_as(&given(values, 0).unwrap_or_default().to_lowercase(), self.session.id);
                let known = self.engine.state().tables.keys().position(|name| *name == kept);
                Datum::Integer(Type::Int, known.and_then(|place| i64::try_from(place + 1).ok()))
            }
            "host_name" => Datum::text(&self.session.host),
            "app_name" => Datum::text(&self.session.program),
            "suser_name" => Datum::text(&self.session.user),
            _ => Datum::text("dbo"),
        })
    }
}

fn argument(arguments: &[Expression], place: usize) -> Result<&Expression, Fault> {
    arguments.get(place).ok_or_else(|| few("iif"))
}

fn few(name: &str) -> Fault {
    Fault::new(174, format!("The {name} function requires more arguments.")).class(15).ending()
}

fn given(values: &[Datum], place: usize) -> Option<String> {
    values.get(place).and_then(Datum::as_text)
}

/// The number of a database, NULL when there is none of that name.
pub(crate) fn database_id(name: &str) -> Datum {
    let place = DATABASES.iter().position(|known| *known == folded(name));
    let id = place.and_then(|place| i64::try_from(place + 1).ok());
    Datum::Integer(Type::Int, id)
}

/// The database of a number, NULL when there is none.
fn database_name(id: &Datum) -> Result<Datum, Fault> {
    let place = id.as_integer()?.and_then(|id| usize::try_from(id - 1).ok());
    let name = place.and_then(|place| DATABASES.get(place)).map(|name| (*name).to_owned());
    Ok(Datum::Text(Type::NVarChar(128), name))
}

fn choice(name: &str, values: &[Datum]) -> Result<Datum, Fault> {
    let first = values.first().ok_or_else(|| few(name))?;
    match (name, values.get(1)) {
        ("isnull", Some(second)) if first.is_null() => second.convert(first.of_type()),
        ("nullif", Some(second))
            if first.compare(second)?.is_some_and(std::cmp::Ordering::is_eq) =>
        {
            Ok(first.of_type().null())
        }
        ("abs", _) => {
            let size = first.as_integer()?.map(i64::abs);
            Datum::Integer(Type::BigInt, size).convert(first.of_type())
        }
        (_, None) => Err(few(name)),
        _ => Ok(first.clone()),
    }
}

fn text(name: &str, values: &[Datum]) -> Result<Datum, Fault> {
    if name == "concat" {
        let all: String = values.iter().filter_map(Datum::as_text).collect();
        return Ok(Datum::text(&all));
    }
    if values.is_empty() {
        return Err(few(name));
    }
    let counts = matches!(name, "len" | "datalength" | "charindex");
    match (values.iter().any(Datum::is_null), counts) {
        (true, true) => Ok(Type::Int.null()),
        (true, false) => Ok(Type::NVarChar(4000).null()),
        (false, true) => Ok(measure(name, values)),
        (false, false) => shape(name, values),
    }
}

/// Functions of texts that give a number.
fn measure(name: &str, values: &[Datum]) -> Datum {
    let first = given(values, 0).unwrap_or_default();
    let wide = matches!(values[0].of_type(), Type::NVarChar(_));
    match name {
        "len" => length(first.trim_end_matches(' ').encode_utf16().count()),
        "datalength" => length(first.encode_utf16().count() * if wide { 2 } else { 1 }),
        _ => position(&first, &given(values, 1).unwrap_or_default()),
    }
}

/// Functions of texts that give a text.
fn shape(name: &str, values: &[Datum]) -> Result<Datum, Fault> {
    let first = given(values, 0).unwrap_or_default();
    Ok(match name {
        "left" | "right" | "substring" => return part(name, &first, values),
        "replicate" => Datum::text(&first.repeat(count(name, values, 1)?)),
        "replace" => {
            Datum::text(&first.replace(
                &given(values, 1).unwrap_or_default(),
                &given(values, 2).unwrap_or_default(),
            ))
        }
        "quotename" => Datum::text(&format!("[{}]", first.replace(']', "]]"))),
        "reverse" => Datum::text(&first.chars().rev().collect::<String>()),
        "lower" => Datum::text(&first.to_lowercase()),
        "upper" => Datum::text(&first.to_uppercase()),
        "ltrim" => Datum::text(first.trim_start_matches(' ')),
        _ => Datum::text(first.trim_end_matches(' ')),
    })
}

fn part(name: &str, text: &str, values: &[Datum]) -> Result<Datum, Fault> {
    let all: Vec<u16> = text.encode_utf16().collect();
    let first = count(name, values, 1)?;
    let part = match name {
        "left" => &all[..first.min(all.len())],
        "right" => &all[all.len() - first.min(all.len())..],
        _ => {
            let from = first.saturating_sub(1).min(all.len());
            &all[from..(from + count(name, values, 2)?).min(all.len())]
        }
    };
    Ok(Datum::text(&String::from_utf16_lossy(part)))
}

fn count(name: &str, values: &[Datum], place: usize) -> Result<usize, Fault> {
    let number = values.get(place).ok_or_else(|| few(name))?.as_integer()?;
    Ok(usize::try_from(number.unwrap_or_default()).unwrap_or_default())
}

fn length(count: usize) -> Datum {
    Datum::Integer(Type::Int, i64::try_from(count).ok())
}

fn position(of: &str, within: &str) -> Datum {
    let (of, within) = (of.to_lowercase(), within.to_lowercase());
    let before = within.find(&of).map(|place| within[..place].encode_utf16().count() + 1);
    length(before.unwrap_or_default())
}
