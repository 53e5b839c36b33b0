//! Values with their types, and conversion between them.

use std::cmp::Ordering;

use crate::fault::Fault;

/// A type that a variable, a column or a parameter may have. Lengths are in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Bit,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    VarChar(usize),
    NVarChar(usize),
    VarBinary(usize),
}

/// The length that stands for `max`.
pub(crate) const MAX: usize = usize::MAX;

/// A value that may be NULL, and is of a type all the same.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Datum {
    Integer(Type, Option<i64>),
    Float(Option<f64>),
    Text(Type, Option<String>),
    Binary(Option<Vec<u8>>),
}

impl Type {
    /// The type that a declaration names, `None` for one that is not known here.
    pub(crate) fn named(name: &str, length: Option<usize>) -> Option<Type> {
        let length_or = |default| length.unwrap_or(default);
        Some(match name.to_ascii_lowercase().as_str() {
            "bit" => Type::Bit,
            "tinyint" => Type::TinyInt,
            "smallint" => Type::SmallInt,
            "int" | "integer" => Type::Int,
            "bigint" => Type::BigInt,
            "float" | "real" | "numeric" | "decimal" => Type::Float,
            "char" | "varchar" => Type::VarChar(length_or(1)),
            "nchar" | "nvarchar" => Type::NVarChar(length_or(1)),
            "sysname" => Type::NVarChar(128),
            "binary" | "varbinary" => Type::VarBinary(length_or(1)),
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Type::Bit => "bit",
            Type::TinyInt => "tinyint",
            Type::SmallInt => "smallint",
            Type::Int => "int",
            Type::BigInt => "bigint",
            Type::Float => "float",
            Type::VarChar(_) => "varchar",
            Type::NVarChar(_) => "nvarchar",
            Type::VarBinary(_) => "varbinary",
        }
    }

    /// NULL of this type.
    pub(crate) fn null(self) -> Datum {
        match self {
            Type::Float => Datum::Float(None),
            Type::VarChar(_) | Type::NVarChar(_) => Datum::Text(self, None),
            Type::VarBinary(_) => Datum::Binary(None),
            integer => Datum::Integer(integer, None),
        }
    }

    fn range(self) -> (i64, i64) {
        match self {
            Type::Bit => (0, 1),
            Type::TinyInt => (0, 255),
            Type::SmallInt => (-32_768, 32_767),
            Type::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Type::VarBinary(_) => 0,
            Type::VarChar(_) => 1,
            Type::NVarChar(_) => 2,
            Type::Bit => 3,
            Type::TinyInt => 4,
            Type::SmallInt => 5,
            Type::Int => 6,
            Type::BigInt => 7,
            Type::Float => 8,
        }
    }

    /// The type of the two that takes precedence where both meet.
    pub(crate) fn stronger(self, other: Type) -> Type {
        if other.rank() > self.rank() { other } else { self }
    }
}

impl Datum {
    pub(crate) fn int(value: i32) -> Datum {
        Datum::Integer(Type::Int, Some(value.into()))
    }

    pub(crate) fn text(value: &str) -> Datum {
        Datum::Text(Type::NVarChar(4000), Some(value.to_owned()))
    }

    pub(crate) fn of_type(&self) -> Type {
        match self {
            Datum::Integer(of, _) | Datum::Text(of, _) => *of,
            Datum::Float(_) => Type::Float,
            Datum::Binary(_) => Type::VarBinary(8000),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        match self {
            Datum::Integer(_, value) => value.is_none(),
            Datum::Float(value) => value.is_none(),
            Datum::Text(_, value) => value.is_none(),
            Datum::Binary(value) => value.is_none(),
        }
    }

    /// The value as text, `None` for NULL.
    pub(crate) fn as_text(&self) -> Option<String> {
        match self {
            Datum::Integer(_, value) => value.map(|value| value.to_string()),
            Datum::Float(value) => value.map(|value| value.to_string()),
            Datum::Text(_, value) => value.clone(),
            Datum::Binary(value) => {
                value.as_ref().map(|value| String::from_utf8_lossy(value).into_owned())
            }
        }
    }

    /// The value as an integer, `None` for NULL.
    pub(crate) fn as_integer(&self) -> Result<Option<i64>, Fault> {
        match self.convert(Type::BigInt)? {
            Datum::Integer(_, value) => Ok(value),
            _ => Ok(None),
        }
    }

    /// The value in another type, cut to its length as an assignment does.
    pub(crate) fn convert(&self, to: Type) -> Result<Datum, Fault> {
        if self.is_null() {
            return Ok(to.null());
        }
        match to {
            Type::Float => self.to_float(),
            Type::VarChar(length) | Type::NVarChar(length) => {
                let text = self.as_text().unwrap_or_default();
                Ok(Datum::Text(to, Some(cut(&text, length))))
            }
            Type::VarBinary(_) => Ok(self.to_binary()),
            integer => self.to_integer(integer),
        }
    }

    fn to_float(&self) -> Result<Datum, Fault> {
        let text = self.as_text().unwrap_or_default();
        let number = text.trim().parse().map_err(|_| Fault::conversion(self, Type::Float))?;
        Ok(Datum::Float(Some(number)))
    }

    fn to_binary(&self) -> Datum {
        match self {
            Datum::Binary(value) => Datum::Binary(value.clone()),
            other => Datum::Binary(other.as_text().map(String::into_bytes)),
        }
    }

    fn to_integer(&self, to: Type) -> Result<Datum, Fault> {
        let text = self.as_text().unwrap_or_default();
        let whole = match self {
            Datum::Float(_) => text.split('.').next().unwrap_or_default(),
            _ => text.trim(),
        };
        let whole = if whole.is_empty() { "0" } else { whole };
        let number: i64 = whole.parse().map_err(|_| Fault::conversion(self, to))?;
        let number = if to == Type::Bit { number.signum().abs() } else { number };
        let (low, high) = to.range();
        if number < low || number > high {
            return Err(Fault::overflow(to));
        }
        Ok(Datum::Integer(to, Some(number)))
    }

    /// How two values compare, `None` when either is NULL.
    pub(crate) fn compare(&self, other: &Datum) -> Result<Option<Ordering>, Fault> {
        if self.is_null() || other.is_null() {
            return Ok(None);
        }
        let common = self.of_type().stronger(other.of_type());
        let (left, right) = (self.convert(widest(common))?, other.convert(widest(common))?);
        Ok(match (&left, &right) {
            (Datum::Text(_, Some(left)), Datum::Text(_, Some(right))) => {
                Some(folded(left).cmp(&folded(right)))
            }
            (Datum::Integer(_, left), Datum::Integer(_, right)) => Some(left.cmp(right)),
            (Datum::Float(left), Datum::Float(right)) => left.partial_cmp(right),
            (Datum::Binary(left), Datum::Binary(right)) => Some(left.cmp(right)),
            _ => None,
        })
    }
}

/// The type with room for every value of its kind.
fn widest(of: Type) -> Type {
    match of {
        Type::VarChar(_) => Type::VarChar(MAX),
        Type::NVarChar(_) => Type::NVarChar(MAX),
        Type::VarBinary(_) | Type::Float => of,
        _ => Type::BigInt,
    }
}

/// As the default collation compares: in any case, trailing blanks aside.
pub(crate) fn folded(text: &str) -> String {
    text.trim_end_matches(' ').to_lowercase()
}

/// The first so many UTF-16 units.
fn cut(text: &str, length: usize) -> String {
    let units: Vec<u16> = text.encode_utf16().take(length).collect();
    String::from_utf16_lossy(&units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_compare_without_case_and_trailing_blanks() {
        let equal = Datum::text("Grant ").compare(&Datum::text("GRANT"));
        assert_eq!(equal.unwrap(), Some(Ordering::Equal));
        let null = Type::Int.null().compare(&Datum::int(1));
        assert_eq!(null.unwrap(), None);
    }

    #[test]
    fn conversion_cuts_texts_and_refuses_what_does_not_fit() {
        let cut = Datum::text("abcdef").convert(Type::VarChar(3)).unwrap();
        assert_eq!(cut.as_text().as_deref(), Some("abc"));
        assert!(Datum::text("abc").convert(Type::Int).is_err());
        assert!(Datum::int(256).convert(Type::TinyInt).is_err());
        assert_eq!(Datum::text(" 7").convert(Type::Int).unwrap(), Datum::int(7));
    }
}
