//! Remote calls: the procedure that is asked for, and its parameters.

use crate::datum::{Datum, Type};
use crate::login::{Malformed, utf16};

/// One parameter of a remote call.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) value: Datum,
}

/// A remote call as a client sent it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) procedure: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// A reader over a message's octets.
#[derive(Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Skips the stream headers; gives the transaction that the client believes to be in.
    pub(crate) fn after_headers(body: &'a [u8]) -> Result<(u64, Reader<'a>), Malformed> {
        let mut reader = Reader(body);
        let mut left = reader.u32()?.checked_sub(4).ok_or(Malformed)?;
        let mut transaction = 0;
        while left > 0 {
            let length = reader.u32()?;
            let kind = reader.u16()?;
            let rest = length.checked_sub(6).ok_or(Malformed)?;
            let data = reader.take(usize::try_from(rest).map_err(|_| Malformed)?)?;
            if let (2, Some(id)) = (kind, data.first_chunk::<8>()) {
                transaction = u64::from_le_bytes(*id);
            }
            left = left.checked_sub(length).ok_or(Malformed)?;
        }
        Ok((transaction, reader))
    }

    /// The rest as text.
    pub(crate) fn text(self) -> String {
        utf16(self.0)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?.try_into().map_err(|_| Malformed)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn b_varchar(&mut self) -> Result<String, Malformed> {
        let length = usize::from(self.u8()?) * 2;
        Ok(utf16(self.take(length)?))
    }

    /// The remote call that the rest is.
    pub(crate) fn call(mut self) -> Result<Call, Malformed> {
        let procedure = match self.u16()? {
            0xFFFF => known(self.u16()?)?.to_owned(),
            length => utf16(self.take(usize::from(length) * 2)?),
        };
        self.u16()?;
        let mut parameters = Vec::new();
        while !self.0.is_empty() {
            parameters.push(self.parameter()?);
        }
        Ok(Call { procedure, parameters })
    }

    fn parameter(&mut self) -> Result<Parameter, Malformed> {
        let name = self.b_varchar()?;
        self.u8()?;
        let value = self.value()?;
        Ok(Parameter { name, value })
    }

    fn value(&mut self) -> Result<Datum, Malformed> {
        match self.u8()? {
            0x26 | 0x68 => self.integer(),
            0x6D => self.float(),
            0xE7 => self.string(5, |bytes| {
                Datum::Text(Type::NVarChar(crate::datum::MAX), bytes.map(|bytes| utf16(&bytes)))
            }),
            0xA7 => self.string(5, |bytes| {
                let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                Datum::Text(Type::VarChar(crate::datum::MAX), text)
            }),
            0xA5 => self.string(0, Datum::Binary),
            _ => Err(Malformed),
        }
    }

    fn integer(&mut self) -> Result<Datum, Malformed> {
        let of = match self.u8()? {
            1 => Type::TinyInt,
            2 => Type::SmallInt,
            4 => Type::Int,
            _ => Type::BigInt,
        };
        Ok(match self.u8()? {
            0 => of.null(),
            1 => Datum::Integer(of, Some(self.u8()?.into())),
            2 => Datum::Integer(of, Some(i16::from_le_bytes(self.array()?).into())),
            4 => Datum::Integer(of, Some(i32::from_le_bytes(self.array()?).into())),
            _ => Datum::Integer(of, Some(i64::from_le_bytes(self.array()?))),
        })
    }

    fn float(&mut self) -> Result<Datum, Malformed> {
        self.u8()?;
        Ok(match self.u8()? {
            0 => Datum::Float(None),
            4 => Datum::Float(Some(f32::from_le_bytes(self.array()?).into())),
            _ => Datum::Float(Some(f64::from_le_bytes(self.array()?))),
        })
    }

    fn string(
        &mut self,
        collation: usize,
        make: impl Fn(Option<Vec<u8>>) -> Datum,
    ) -> Result<Datum, Malformed> {
        let longest = self.u16()?;
        self.take(collation)?;
        if longest == 0xFFFF {
            return Ok(make(self.chunks()?));
        }
        match self.u16()? {
            0xFFFF => Ok(make(None)),
            length => Ok(make(Some(self.take(usize::from(length))?.to_vec()))),
        }
    }

    fn chunks(&mut self) -> Result<Option<Vec<u8>>, Malformed> {
        if u64::from_le_bytes(self.array()?) == u64::MAX {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        loop {
            match usize::try_from(self.u32()?).map_err(|_| Malformed)? {
                0 => return Ok(Some(bytes)),
                length => bytes.extend(self.take(length)?),
            }
        }
    }
}

/// The procedures that have a number of their own.
fn known(number: u16) -> Result<&'static str, Malformed> {
    match number {
        10 => Ok("sp_executesql"),
        _ => Err(Malformed),
    }
}
