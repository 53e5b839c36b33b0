//! Calls of the supplied packages and of functions.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::ast::{Expression, Invocation, Target};
use super::function;
use super::machine::Machine;
use super::signature::{self, Action, Need, Parameter};
use super::value::{Type, Value};
use crate::fault::Fault;
use crate::number;
use crate::server::{handle_id, user_id};

/// What DBMS_UTILITY.GET_TIME counts from.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// GET_TIME begins anywhere in its range, so nobody may take it for a time of day.
const GET_TIME_OFFSET: f64 = -1_234_567.0;

impl Machine<'_> {
    pub(crate) fn invoke(&mut self, invocation: &Invocation) -> Result<Value, Fault> {
        let arguments = &invocation.arguments;
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.evaluate(&argument.value)?);
        }
        let names = arguments.iter().map(|argument| argument.name.as_deref());
        let given: Vec<_> = names.zip(values.iter().map(Value::kind)).collect();
        let (routine, slots) = signature::resolve(&invocation.path, &given)?;
        let mut actual = Vec::new();
        for (parameter, slot) in routine.parameters.iter().zip(&slots) {
            actual.push(argument(*parameter, slot.map(|slot| values[slot].clone()))?);
        }
        let answer = self.act(routine.action, &actual)?;
        let out = routine.parameters.iter().position(|parameter| parameter.2 == Need::Out);
        match out.and_then(|out| slots[out]) {
            Some(slot) => self.give_back(&arguments[slot].value, answer),
            None => Ok(answer),
        }
    }

    fn give_back(&mut self, target: &Expression, value: Value) -> Result<Value, Fault> {
        let target = match target {
            Expression::Bind(name) => Target::Bind(name.clone()),
            Expression::Name(path) => Target::Variable(path.clone()),
            _ => return Ok(Value::Null),
        };
        self.assign(&target, value).map(|()| Value::Null)
    }

    fn act(&mut self, action: Action, given: &[Value]) -> Result<Value, Fault> {
        match action {
            Action::Constant(value) => Ok(Value::Number(value)),
            Action::Scalar(scalar) => function::apply(scalar, given),
            Action::Sleep => self.sleep(&given[0]),
            Action::GetTime => Ok(Value::Number(get_time())),
            Action::SysTimestamp => {
                let wrong = self.call.database.state().clock_is_wrong_by;
                Ok(Value::Instant(now() + wrong))
            }
            Action::Same => Ok(given[0].clone()),
            Action::UniqueSessionId => Ok(Value::Text(format!("{:012X}", self.call.session))),
            Action::IsCluster => Ok(Value::Bool(self.call.database.state().is_cluster)),
            Action::SetModule => self.set_module(&given[0]),
            Action::SysContext => self.context(&given[0], &given[1]),
            Action::User => {
                self.context(&Value::Text("USERENV".into()), &Value::Text("SESSION_USER".into()))
            }
            Action::SqlCode | Action::SqlErrm => Ok(self.caught(action)),
            Action::RaiseApplicationError => Err(application_error(given)?),
            Action::Allocate => Ok(Value::Text(self.call.allocate(&given[0].text(), true))),
            Action::AllocateAutonomous => {
                Ok(Value::Text(self.call.allocate(&given[0].text(), false)))
            }
            _ => self.lock(action, given),
        }
    }

    /// What the running handler is told of what it caught.
    fn caught(&self, action: Action) -> Value {
        match &self.caught {
            None if action == Action::SqlCode => Value::Number(0.0),
            None => Value::Text("ORA-0000: normal, successful completion".to_owned()),
            Some(fault) if action == Action::SqlCode => Value::Number(-f64::from(fault.code)),
            Some(fault) => Value::Text(fault.message.clone()),
        }
    }

    /// The routines that answer by a code.
    fn lock(&mut self, action: Action, given: &[Value]) -> Result<Value, Fault> {
        let by_handle =
            matches!(action, Action::RequestHandle | Action::ConvertHandle | Action::ReleaseHandle);
        let id = if by_handle {
            handle_id(&given[0].text())
        } else {
            given[0].integer().or(Err(3)).and_then(user_id)
        };
        let whole =
            |index: usize| given.get(index).map_or(Ok(0), |value| value.integer().or(Ok(-1)));
        let code = match (id, action) {
            (Err(code), _) => code,
            (Ok(id), Action::Request | Action::RequestHandle) => {
                self.call.request(id, whole(1)?, whole(2)?, given[3].is_true())?
            }
            (Ok(id), Action::Convert | Action::ConvertHandle) => {
                self.call.convert(id, whole(1)?, whole(2)?)?
            }
            (Ok(id), _) => self.call.release(id),
        };
        Ok(Value::Number(number::from_integer(code)))
    }

    fn sleep(&self, seconds: &Value) -> Result<Value, Fault> {
        let duration = Duration::try_from_secs_f64(seconds.number()?);
        let duration = duration.map_err(|_| Fault::new(38148, "invalid time limit specified"))?;
        self.call.sleep(duration).map(|()| Value::Null)
    }

    /// What a session calls itself: 64 bytes of it.
    fn set_module(&self, name: &Value) -> Result<Value, Fault> {
        let name = name.text().chars().take(64).collect();
        self.call.database.change(|state| {
            if let Some(session) = state.sessions.get_mut(&self.call.session) {
                session.module = name;
            }
        });
        Ok(Value::Null)
    }

    fn context(&self, namespace: &Value, name: &Value) -> Result<Value, Fault> {
        if !namespace.text().eq_ignore_ascii_case("USERENV") {
            return Ok(Value::Null);
        }
        let state = self.call.database.state();
        let session = state.sessions.get(&self.call.session);
        let session = session.ok_or_else(Fault::not_connected)?;
        Ok(Value::Text(match name.text().to_uppercase().as_str() {
            "SID" | "SESSIONID" => self.call.session.to_string(),
            "SESSION_USER" | "CURRENT_USER" | "CURRENT_SCHEMA" => session.user.clone(),
            "DB_NAME" | "DB_UNIQUE_NAME" | "SERVICE_NAME" => self.call.database.name.clone(),
            "INSTANCE_NAME" => "standin".to_owned(),
            "MODULE" => session.module.clone(),
            "SERVER_HOST" => "localhost".to_owned(),
            "DATABASE_ROLE" => state.role.clone(),
            _ => return Err(Fault::new(2003, "invalid USERENV parameter")),
        }))
    }
}

/// The value of a parameter: what was given, converted, or its default.
fn argument(parameter: Parameter, given: Option<Value>) -> Result<Value, Fault> {
    let Parameter(_, kind, need) = parameter;
    match (given, need) {
        (Some(value), Need::Out) => Ok(value),
        (Some(value), _) => kind.convert(value),
        (None, Need::Number(number)) => Ok(Value::Number(number)),
        (None, Need::False) => Ok(Value::Bool(false)),
        (None, _) => Ok(Value::Null),
    }
}

fn application_error(given: &[Value]) -> Result<Fault, Fault> {
    let code = i32::try_from(given[0].integer()?.abs()).unwrap_or(20_000);
    Ok(Fault::new(code, given[1].text()))
}

/// Hundredths of a second.
fn get_time() -> f64 {
    GET_TIME_OFFSET + (START.elapsed().as_secs_f64() * 100.0).floor()
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

/// The type of a column of query results.
pub(crate) fn column_type(value: &Value) -> Type {
    match value {
        Value::Number(_) => Type::Number,
        _ => Type::Text,
    }
}
