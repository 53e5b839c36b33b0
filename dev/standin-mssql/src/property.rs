//! What the server says of itself, of the time, and of what a login may do.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::datum::{Datum, Type};
use crate::evaluate::Scope;
use crate::fault::Fault;
use crate::syntax::Expression;

/// Who is of this name may do nothing but use the databases.
pub(crate) const PLAIN: &str = "plain";

/// The first midnight of the year 2000, from which times are counted here: in seconds.
const EPOCH: Duration = Duration::from_secs(946_684_800);

/// A time, as seconds since [`EPOCH`].
pub(crate) fn time(at: SystemTime) -> Datum {
    let since = at.duration_since(UNIX_EPOCH + EPOCH).unwrap_or_default();
    Datum::Float(Some(since.as_secs_f64()))
}

impl Scope<'_> {
    /// `DATEDIFF(second, …, …)`: of times, or of the midnight that they are counted from.
    pub(crate) fn difference(&self, arguments: &[Expression]) -> Result<Datum, Fault> {
        let wrong = || Fault::new(155, "Only seconds since 20000101 are counted here.").class(15);
        let [Expression::Column(part), from, to] = arguments else { return Err(wrong()) };
        if !part.eq_ignore_ascii_case("second") {
            return Err(wrong());
        }
        let mut seconds = [0.0; 2];
        for (second, at) in seconds.iter_mut().zip([from, to]) {
            *second = match self.value(at)? {
                Datum::Float(Some(since)) => since,
                Datum::Text(_, Some(text)) if text == "20000101" => 0.0,
                _ => return Err(wrong()),
            };
        }
        Datum::Float(Some((seconds[1] - seconds[0]).trunc())).convert(Type::Int)
    }

    pub(crate) fn property(&self, name: &str, values: &[Datum]) -> Datum {
        let asked = values.iter().rev().find_map(Datum::as_text).unwrap_or_default();
        match (name, asked.to_lowercase().as_str()) {
            ("getdate" | "getutcdate", _) => time(SystemTime::now()),
            ("databasepropertyex", "updateability") => Datum::text("READ_WRITE"),
            ("serverproperty", "productversion") => Datum::text("16.0.4096.0"),
            ("has_perms_by_name", _) => Datum::int(i32::from(self.session.user != PLAIN)),
            _ => Type::NVarChar(4000).null(),
        }
    }

    /// What a login without rights is told where it looks at the locks.
    pub(crate) fn may_view(&self, name: &str) -> Result<(), Fault> {
        let message =
            "VIEW SERVER STATE permission was denied on object 'server', database 'master'.";
        match name == "sys.dm_tran_locks" && self.session.user == PLAIN {
            true => Err(Fault::new(300, message).class(14).ending()),
            false => Ok(()),
        }
    }
}
