//! The routines that a statement may call, and how a call finds its routine.

use super::ast::Path;
use super::value::Type;
use crate::fault::Fault;

/// What a routine does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Action {
    Constant(f64),
    Request,
    RequestHandle,
    Convert,
    ConvertHandle,
    Release,
    ReleaseHandle,
    Allocate,
    AllocateAutonomous,
    Sleep,
    GetTime,
    UniqueSessionId,
    SetModule,
    /// Gives its argument back.
    Same,
    IsCluster,
    RaiseApplicationError,
    SysContext,
    SysTimestamp,
    User,
    SqlCode,
    SqlErrm,
    Scalar(Scalar),
}

/// A function of its arguments alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Nvl,
    Mod,
    Round,
    Trunc,
    Ceil,
    Floor,
    Abs,
    Least,
    Greatest,
    ToSecondInterval,
    ToChar,
    ToNumber,
    Length,
    Substring,
    Upper,
    Lower,
}

/// How an argument may be left out, or given back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Need {
    Required,
    Number(f64),
    False,
    Out,
}

/// A formal parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter(pub(crate) &'static str, pub(crate) Type, pub(crate) Need);

/// A function, a procedure or a constant.
#[derive(Debug)]
pub(crate) struct Routine {
    pub(crate) path: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// `None` for a procedure.
    pub(crate) returns: Option<Type>,
    pub(crate) action: Action,
}

/// A routine, and for each of its parameters the index of the argument given.
pub(crate) type Match = (&'static Routine, Vec<Option<usize>>);

const fn function(
    path: &'static str,
    parameters: &'static [Parameter],
    returns: Type,
    action: Action,
) -> Routine {
    Routine { path, parameters, returns: Some(returns), action }
}

const fn procedure(
    path: &'static str,
    parameters: &'static [Parameter],
    action: Action,
) -> Routine {
    Routine { path, parameters, returns: None, action }
}

const fn constant(path: &'static str, value: f64) -> Routine {
    function(path, &[], Type::Integer, Action::Constant(value))
}

const fn scalar(
    path: &'static str,
    parameters: &'static [Parameter],
    returns: Type,
    scalar: Scalar,
) -> Routine {
    function(path, parameters, returns, Action::Scalar(scalar))
}

const ID: Parameter = Parameter("ID", Type::Integer, Need::Required);
const HANDLE: Parameter = Parameter("LOCKHANDLE", Type::Text, Need::Required);
const MODE: Parameter = Parameter("LOCKMODE", Type::Integer, Need::Number(6.0));
const NEW_MODE: Parameter = Parameter("LOCKMODE", Type::Integer, Need::Required);
const TIMEOUT: Parameter = Parameter("TIMEOUT", Type::Integer, Need::Number(32_767.0));
const ON_COMMIT: Parameter = Parameter("RELEASE_ON_COMMIT", Type::Bool, Need::False);
const ALLOCATE: &[Parameter] = &[
    Parameter("LOCKNAME", Type::Text, Need::Required),
    Parameter("LOCKHANDLE", Type::Text, Need::Out),
    Parameter("EXPIRATION_SECS", Type::Integer, Need::Number(864_000.0)),
];
const SECONDS: &[Parameter] = &[Parameter("SECONDS", Type::Number, Need::Required)];
const INSTANT: Parameter = Parameter("T", Type::Instant, Need::Required);
const MODULE: &[Parameter] = &[
    Parameter("MODULE_NAME", Type::Text, Need::Required),
    Parameter("ACTION_NAME", Type::Text, Need::Required),
];
const NUMBER: Parameter = Parameter("N", Type::Number, Need::Required);
const SECOND: Parameter = Parameter("M", Type::Number, Need::Required);
const ANY: Parameter = Parameter("E", Type::Any, Need::Required);
const PLACES: Parameter = Parameter("P", Type::Number, Need::Number(0.0));
/// Taken and ignored.
const FORMAT: Parameter = Parameter("FMT", Type::Text, Need::Number(0.0));
const UNIT: Parameter = Parameter("U", Type::Text, Need::Required);

static ROUTINES: &[Routine] = &[
    constant("DBMS_LOCK.NL_MODE", 1.0),
    constant("DBMS_LOCK.SS_MODE", 2.0),
    constant("DBMS_LOCK.SX_MODE", 3.0),
    constant("DBMS_LOCK.S_MODE", 4.0),
    constant("DBMS_LOCK.SSX_MODE", 5.0),
    constant("DBMS_LOCK.X_MODE", 6.0),
    constant("DBMS_LOCK.MAXWAIT", 32_767.0),
    function("DBMS_LOCK.REQUEST", &[ID, MODE, TIMEOUT, ON_COMMIT], Type::Integer, Action::Request),
    function(
        "DBMS_LOCK.REQUEST",
        &[HANDLE, MODE, TIMEOUT, ON_COMMIT],
        Type::Integer,
        Action::RequestHandle,
    ),
    function("DBMS_LOCK.CONVERT", &[ID, NEW_MODE, TIMEOUT], Type::Integer, Action::Convert),
    function(
        "DBMS_LOCK.CONVERT",
        &[HANDLE, NEW_MODE, TIMEOUT],
        Type::Integer,
        Action::ConvertHandle,
    ),
    function("DBMS_LOCK.RELEASE", &[ID], Type::Integer, Action::Release),
    function("DBMS_LOCK.RELEASE", &[HANDLE], Type::Integer, Action::ReleaseHandle),
    procedure("DBMS_LOCK.ALLOCATE_UNIQUE", ALLOCATE, Action::Allocate),
    procedure("DBMS_LOCK.ALLOCATE_UNIQUE_AUTONOMOUS", ALLOCATE, Action::AllocateAutonomous),
    procedure("DBMS_LOCK.SLEEP", SECONDS, Action::Sleep),
    procedure("DBMS_SESSION.SLEEP", SECONDS, Action::Sleep),
    function("DBMS_SESSION.UNIQUE_SESSION_ID", &[], Type::Text, Action::UniqueSessionId),
    function("DBMS_UTILITY.GET_TIME", &[], Type::Number, Action::GetTime),
    function("DBMS_UTILITY.IS_CLUSTER_DATABASE", &[], Type::Bool, Action::IsCluster),
    procedure("DBMS_APPLICATION_INFO.SET_MODULE", MODULE, Action::SetModule),
    procedure("RAISE_APPLICATION_ERROR", &[NUMBER, UNIT], Action::RaiseApplicationError),
    function("SYS_CONTEXT", &[UNIT, HANDLE], Type::Text, Action::SysContext),
    function("SYS_EXTRACT_UTC", &[INSTANT], Type::Instant, Action::Same),
    function("SYSTIMESTAMP", &[], Type::Instant, Action::SysTimestamp),
    function("USER", &[], Type::Text, Action::User),
    function("SQLCODE", &[], Type::Integer, Action::SqlCode),
    function("SQLERRM", &[], Type::Text, Action::SqlErrm),
    scalar("NVL", &[ANY, Parameter("F", Type::Any, Need::Required)], Type::Any, Scalar::Nvl),
    scalar("MOD", &[NUMBER, SECOND], Type::Number, Scalar::Mod),
    scalar("ROUND", &[NUMBER, PLACES], Type::Number, Scalar::Round),
    scalar("TRUNC", &[NUMBER], Type::Number, Scalar::Trunc),
    scalar("CEIL", &[NUMBER], Type::Number, Scalar::Ceil),
    scalar("FLOOR", &[NUMBER], Type::Number, Scalar::Floor),
    scalar("ABS", &[NUMBER], Type::Number, Scalar::Abs),
    scalar("LEAST", &[NUMBER, SECOND], Type::Number, Scalar::Least),
    scalar("GREATEST", &[NUMBER, SECOND], Type::Number, Scalar::Greatest),
    scalar("NUMTODSINTERVAL", &[NUMBER, UNIT], Type::Interval, Scalar::ToSecondInterval),
    scalar("TO_CHAR", &[ANY, FORMAT], Type::Text, Scalar::ToChar),
    scalar("TO_NUMBER", &[ANY], Type::Number, Scalar::ToNumber),
    scalar("LENGTH", &[UNIT], Type::Number, Scalar::Length),
    scalar("LENGTHB", &[UNIT], Type::Number, Scalar::Length),
    scalar("SUBSTRB", &[UNIT, NUMBER, SECOND], Type::Text, Scalar::Substring),
    scalar("UPPER", &[UNIT], Type::Text, Scalar::Upper),
    scalar("LOWER", &[UNIT], Type::Text, Scalar::Lower),
];

/// The routine that a call means, by its name and by what it is given.
pub(crate) fn resolve(path: &Path, given: &[(Option<&str>, Type)]) -> Result<Match, Fault> {
    let candidates = overloads(path);
    if candidates.is_empty() {
        let text = format!("identifier '{}' must be declared", path.dotted());
        return Err(Fault::compile(path.place, 201, text));
    }
    let fit = |accepts: fn(Type, Type) -> bool| {
        let mut matches = candidates
            .iter()
            .filter_map(|routine| Some((*routine, assign(routine, given, accepts)?)));
        matches.next()
    };
    let found = fit(Type::is_same).or_else(|| fit(Type::accepts));
    found.ok_or_else(|| {
        let text = format!("wrong number or types of arguments in call to '{}'", path.last());
        Fault::compile(path.place, 306, text)
    })
}

/// Whether a name means any routine at all.
pub(crate) fn is_known(path: &Path) -> bool {
    !overloads(path).is_empty()
}

fn overloads(path: &Path) -> Vec<&'static Routine> {
    let dotted = path.dotted();
    let name = dotted.strip_prefix("SYS.").unwrap_or(&dotted);
    ROUTINES.iter().filter(|routine| routine.path == name).collect()
}

/// Gives each parameter its argument: positions first, then names.
fn assign(
    routine: &Routine,
    given: &[(Option<&str>, Type)],
    accepts: fn(Type, Type) -> bool,
) -> Option<Vec<Option<usize>>> {
    let mut slots = vec![None; routine.parameters.len()];
    for (index, (name, kind)) in given.iter().enumerate() {
        let slot = match name {
            Some(name) => routine.parameters.iter().position(|parameter| parameter.0 == *name)?,
            None => index,
        };
        let parameter = routine.parameters.get(slot)?;
        if slots[slot].is_some() || !accepts(parameter.1, *kind) {
            return None;
        }
        slots[slot] = Some(index);
    }
    let complete = slots.iter().zip(routine.parameters).all(|(slot, parameter)| {
        slot.is_some() || matches!(parameter.2, Need::Number(_) | Need::False)
    });
    complete.then_some(slots)
}
