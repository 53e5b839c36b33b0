//! The tokens of an answer.

use crate::datum::{Datum, MAX, Type};
use crate::fault::Fault;

pub(crate) const MORE: u16 = 0x01;
pub(crate) const ERROR: u16 = 0x02;
pub(crate) const COUNT: u16 = 0x10;
pub(crate) const ATTENTION: u16 = 0x20;

const DONE: u8 = 0xFD;
const DONE_PROC: u8 = 0xFE;
const DONE_IN_PROC: u8 = 0xFF;

/// The name that the server gives itself in its messages.
const SERVER: &str = "STANDIN";

/// A change of the session that a client must be told.
#[derive(Debug)]
pub(crate) enum Change<'a> {
    /// The new database and the old one.
    Database(&'a str, &'a str),
    /// The new size and the old one, in octets.
    PacketSize(&'a str, &'a str),
    /// A transaction has begun, with this descriptor.
    Begun(u64),
    /// The transaction with this descriptor was committed.
    Committed(u64),
    /// The transaction with this descriptor was rolled back.
    RolledBack(u64),
}

/// One answer, written token by token.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Where the status of the last DONE token is, when that token is the last one.
    last_done: Option<usize>,
    /// How many calls deep the statement is whose tokens are written.
    pub(crate) depth: u32,
}

impl Answer {
    fn begin(&mut self, token: u8) {
        self.last_done = None;
        self.bytes.push(token);
    }

    fn u16(&mut self, value: u16) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn b_varchar(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().take(255).collect();
        self.bytes.push(u8::try_from(units.len()).expect("cut to 255"));
        units.into_iter().for_each(|unit| self.u16(unit));
    }

    fn us_varchar(&mut self, text: &str) {
        let units: Vec<u16> = text.encode_utf16().take(4000).collect();
        self.u16(u16::try_from(units.len()).expect("cut to 4000"));
        units.into_iter().for_each(|unit| self.u16(unit));
    }

    /// A token whose body is preceded by its length.
    fn sized(&mut self, token: u8, body: &Answer) {
        self.begin(token);
        self.u16(u16::try_from(body.bytes.len()).expect("a short token"));
        self.bytes.extend(&body.bytes);
    }

    pub(crate) fn login_ack(&mut self, version: u32) {
        let mut body = Answer::default();
        body.bytes.push(1);
        body.bytes.extend(version.to_be_bytes());
        body.b_varchar("Microsoft SQL Server");
        body.bytes.extend([16, 0, 0x10, 0x00]);
        self.sized(0xAD, &body);
    }

    pub(crate) fn change(&mut self, change: &Change<'_>) {
        let mut body = Answer::default();
        match change {
            Change::Database(new, old) => body.texts(1, new, old),
            Change::PacketSize(new, old) => body.texts(4, new, old),
            Change::Begun(id) => body.descriptors(8, Some(*id), None),
            Change::Committed(id) => body.descriptors(9, None, Some(*id)),
            Change::RolledBack(id) => body.descriptors(10, None, Some(*id)),
        }
        self.sized(0xE3, &body);
    }

    fn texts(&mut self, kind: u8, new: &str, old: &str) {
        self.bytes.push(kind);
        self.b_varchar(new);
        self.b_varchar(old);
    }

    fn descriptors(&mut self, kind: u8, new: Option<u64>, old: Option<u64>) {
        self.bytes.push(kind);
        for descriptor in [new, old] {
            match descriptor {
                Some(id) => {
                    self.bytes.push(8);
                    self.bytes.extend(id.to_le_bytes());
                }
                None => self.bytes.push(0),
            }
        }
    }

    /// ERROR or INFO, as the class of the fault says.
    pub(crate) fn fault(&mut self, fault: &Fault) {
        let mut body = Answer::default();
        body.bytes.extend(fault.number.to_le_bytes());
        body.bytes.extend([fault.state, fault.class]);
        body.us_varchar(&fault.message);
        body.b_varchar(SERVER);
        body.b_varchar(&fault.procedure);
        body.bytes.extend(1_u32.to_le_bytes());
        let token = if fault.class > 10 { 0xAA } else { 0xAB };
        self.sized(token, &body);
    }

    pub(crate) fn columns(&mut self, columns: &[(String, Type)]) {
        self.begin(0x81);
        self.u16(u16::try_from(columns.len()).expect("few columns"));
        for (name, of) in columns {
            self.bytes.extend(0_u32.to_le_bytes());
            self.u16(0x0009);
            self.type_info(*of);
            self.b_varchar(name);
        }
    }

    fn type_info(&mut self, of: Type) {
        let collation = [0x09, 0x04, 0xD0, 0x00, 0x34];
        match of {
            Type::Bit => self.bytes.extend([0x68, 1]),
            Type::TinyInt => self.bytes.extend([0x26, 1]),
            Type::SmallInt => self.bytes.extend([0x26, 2]),
            Type::Int => self.bytes.extend([0x26, 4]),
            Type::BigInt => self.bytes.extend([0x26, 8]),
            Type::Float => self.bytes.extend([0x6D, 8]),
            Type::VarChar(length) => self.text_info(0xA7, length, 1, &collation),
            Type::NVarChar(length) => self.text_info(0xE7, length, 2, &collation),
            Type::VarBinary(length) => self.text_info(0xA5, length, 1, &[]),
        }
    }

    fn text_info(&mut self, token: u8, length: usize, width: usize, collation: &[u8]) {
        self.bytes.push(token);
        self.u16(octets(length, width).unwrap_or(0xFFFF));
        self.bytes.extend(collation);
    }

    pub(crate) fn row(&mut self, row: &[Datum]) {
        self.begin(0xD1);
        row.iter().for_each(|datum| self.datum(datum));
    }

    fn datum(&mut self, datum: &Datum) {
        match datum {
            Datum::Integer(_, None) | Datum::Float(None) => self.bytes.push(0),
            Datum::Integer(of, Some(value)) => self.integer(*of, *value),
            Datum::Float(Some(value)) => {
                self.bytes.push(8);
                self.bytes.extend(value.to_le_bytes());
            }
            Datum::Text(Type::VarChar(length), text) => {
                let bytes = text.as_ref().map(|text| text.as_bytes().to_vec());
                self.string(bytes, octets(*length, 1).is_none());
            }
            Datum::Text(of, text) => {
                let long = matches!(of, Type::NVarChar(length) if octets(*length, 2).is_none());
                let units = text.as_ref().map(|text| text.encode_utf16());
                let bytes = units.map(|units| units.flat_map(u16::to_le_bytes).collect());
                self.string(bytes, long);
            }
            Datum::Binary(value) => self.string(value.clone(), false),
        }
    }

    fn integer(&mut self, of: Type, value: i64) {
        let width = match of {
            Type::Bit | Type::TinyInt => 1,
            Type::SmallInt => 2,
            Type::BigInt => 8,
            _ => 4,
        };
        self.bytes.push(width);
        self.bytes.extend(&value.to_le_bytes()[..usize::from(width)]);
    }

    fn string(&mut self, bytes: Option<Vec<u8>>, long: bool) {
        match (bytes, long) {
            (None, false) => self.u16(0xFFFF),
            (None, true) => self.bytes.extend(u64::MAX.to_le_bytes()),
            (Some(bytes), false) => {
                self.u16(u16::try_from(bytes.len()).expect("a short value"));
                self.bytes.extend(bytes);
            }
            (Some(bytes), true) => self.chunks(&bytes),
        }
    }

    /// A partially length-prefixed value: its length, one chunk, the end.
    fn chunks(&mut self, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a value of this server");
        self.bytes.extend(u64::from(length).to_le_bytes());
        if length > 0 {
            self.bytes.extend(length.to_le_bytes());
            self.bytes.extend(bytes);
        }
        self.bytes.extend(0_u32.to_le_bytes());
    }

    fn done_token(&mut self, token: u8, status: u16, command: u16, rows: u64) {
        self.begin(token);
        let place = self.bytes.len();
        self.u16(status | MORE);
        self.u16(command);
        self.bytes.extend(rows.to_le_bytes());
        self.last_done = Some(place);
    }

    /// The end of a statement, of whatever kind its place asks for.
    pub(crate) fn done(&mut self, status: u16, command: u16, rows: u64) {
        let token = if self.depth > 0 { DONE_IN_PROC } else { DONE };
        self.done_token(token, status, command, rows);
    }

    /// The end of a procedure that was called from here.
    pub(crate) fn end_of_call(&mut self, status: i32) {
        if self.depth == 0 {
            self.return_status(status);
            self.done_token(DONE_PROC, 0, 224, 0);
        } else {
            self.done_token(DONE_IN_PROC, 0, 224, 0);
        }
    }

    fn return_status(&mut self, status: i32) {
        self.begin(0x79);
        self.bytes.extend(status.to_le_bytes());
    }

    /// Marks the end of the answer to a batch.
    pub(crate) fn finish_batch(&mut self) {
        if self.last_done.is_none() {
            self.done_token(DONE, 0, 0, 0);
        }
        self.no_more();
    }

    /// Marks the end of the answer to a remote call.
    pub(crate) fn finish_call(&mut self, status: i32, failed: bool) {
        self.return_status(status);
        let flags = if failed { ERROR } else { 0 };
        self.done_token(DONE_PROC, flags, 224, 0);
        self.no_more();
    }

    /// Marks the end of an answer that an attention cut off.
    pub(crate) fn finish_cancelled(&mut self) {
        self.done_token(DONE, ATTENTION, 0, 0);
        self.no_more();
    }

    fn no_more(&mut self) {
        if let Some(place) = self.last_done {
            self.bytes[place] &= !1;
        }
    }
}

/// The octets of a text column, `None` when it must be of the `max` kind.
fn octets(length: usize, width: usize) -> Option<u16> {
    if length == MAX || length * width > 8000 {
        return None;
    }
    u16::try_from(length * width).ok()
}
