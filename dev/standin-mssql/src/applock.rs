//! `sp_getapplock`, `sp_releaseapplock`, `APPLOCK_MODE` and `APPLOCK_TEST`.

use std::time::Duration;

use crate::batch::Batch;
use crate::datum::{Datum, Type, folded};
use crate::evaluate;
use crate::fault::Fault;
use crate::locks::{Owner, Reply, Resource, Scope};
use crate::mode::Mode;
use crate::waiter::Waiter;

/// The principals of every database, with their numbers.
pub(crate) const PRINCIPALS: [(&str, i64); 4] =
    [("public", 0), ("dbo", 1), ("guest", 2), ("db_owner", 16384)];

/// What a call that was not right returns.
const REFUSED: i32 = -999;

/// Names are cut to this many UTF-16 units, and nobody is told.
const NAME: usize = 255;

/// The procedure that does the work, which the messages name.
const WORKER: &str = "xp_userlock";

/// Name and whether it must be given.
pub(crate) const GET: [(&str, bool); 5] = [
    ("@resource", false),
    ("@lockmode", true),
    ("@lockowner", false),
    ("@locktimeout", false),
    ("@dbprincipal", false),
];

pub(crate) const RELEASE: [(&str, bool); 3] =
    [("@resource", true), ("@lockowner", false), ("@dbprincipal", false)];

/// The arguments of a call in their places, `None` where the default is meant.
type Arguments = [Option<Datum>];

impl Batch<'_> {
    /// `sp_getapplock`, as far as its return code.
    pub(crate) async fn get_lock(&mut self, arguments: &Arguments) -> Result<i32, Fault> {
        let checked = self.check_get(arguments);
        let (resource, owner, mode, timeout) = match checked {
            Ok(checked) => checked,
            Err(fault) => return self.refuse(fault),
        };
        let reply = self.engine.state().locks.request(&resource, owner, mode);
        let Reply::Queued(ticket, verdict) = reply else {
            return Ok(0);
        };
        let waiter = Waiter { engine: self.engine, resource: &resource, ticket };
        let limit = u64::try_from(timeout).ok().map(Duration::from_millis);
        Ok(waiter.outcome(verdict, limit).await)
    }

    fn check_get(&self, arguments: &Arguments) -> Result<(Resource, Owner, Mode, i32), Fault> {
        let mode = text(arguments, 1).unwrap_or_default();
        let mode = Mode::named(&mode).ok_or_else(|| not_recognized(&mode, "@LockMode"))?;
        let owner = self.owner(text(arguments, 2).as_deref())?;
        if owner.scope == Scope::Transaction && self.session.transactions == 0 {
            let message = "You attempted to acquire a transactional application lock without an active transaction.";
            return Err(Fault::new(15626, message).class(0).within("sp_getapplock"));
        }
        let timeout = self.timeout(arguments.get(3))?;
        if timeout < -1 {
            let message = format!("An invalid application lock time-out was passed to {WORKER}.");
            return Err(Fault::new(1227, message).state(2).within(WORKER));
        }
        let resource = self.resource(arguments.first(), arguments.get(4))?;
        Ok((resource, owner, mode, timeout))
    }

    fn timeout(&self, argument: Option<&Option<Datum>>) -> Result<i32, Fault> {
        let given = match argument {
            Some(Some(datum)) => datum.convert(Type::Int)?.as_integer()?,
            _ => None,
        };
        let given = given.and_then(|given| i32::try_from(given).ok());
        Ok(given.unwrap_or(self.session.lock_timeout))
    }

    /// `sp_releaseapplock`, as far as its return code.
    pub(crate) fn release_lock(&mut self, arguments: &Arguments) -> Result<i32, Fault> {
        let checked = self.check_release(arguments);
        let (resource, owner) = match checked {
            Ok(checked) => checked,
            Err(fault) => return self.refuse(fault),
        };
        if self.engine.state().locks.release(&resource, owner) {
            return Ok(0);
        }
        let message = format!(
            "Cannot release the application lock (Database Principal: '{}', Resource: '{}') because it is not currently held.",
            resource.principal,
            String::from_utf16_lossy(&resource.name)
        );
        self.refuse(Fault::new(1223, message).within(WORKER))
    }

    fn check_release(&self, arguments: &Arguments) -> Result<(Resource, Owner), Fault> {
        let owner = self.owner(text(arguments, 1).as_deref())?;
        if owner.scope == Scope::Transaction && self.session.transactions == 0 {
            return Err(no_transaction().within(WORKER));
        }
        let resource = self.resource(arguments.first(), arguments.get(2))?;
        Ok((resource, owner))
    }

    fn owner(&self, named: Option<&str>) -> Result<Owner, Fault> {
        let named = named.unwrap_or("Transaction");
        let scope = scope(named).ok_or_else(|| not_recognized(named, "@LockOwner"))?;
        Ok(Owner { session: self.session.id, scope })
    }

    fn resource(
        &self,
        name: Option<&Option<Datum>>,
        principal: Option<&Option<Datum>>,
    ) -> Result<Resource, Fault> {
        let name = name.and_then(|name| name.as_ref()?.as_text());
        let Some(name) = name else {
            let message = format!("An invalid application lock resource was passed to {WORKER}.");
            return Err(Fault::new(1224, message).state(5).within(WORKER));
        };
        let principal = match principal {
            Some(Some(given)) => given.as_text().ok_or_else(|| no_principal(WORKER))?,
            _ => "public".to_owned(),
        };
        Ok(Resource {
            database: self.session.database,
            principal: known_principal(&principal)?,
            name: cut(&name),
        })
    }

    /// Says what was wrong; the call then returns, unless the caller catches errors.
    fn refuse(&mut self, fault: Fault) -> Result<i32, Fault> {
        if fault.class > 10 && (self.catches() || self.session.xact_abort) {
            return Err(fault);
        }
        self.answer.fault(&fault);
        Ok(REFUSED)
    }
}

/// `APPLOCK_MODE(principal, name, owner)`.
pub(crate) fn mode(scope: &evaluate::Scope<'_>, values: &[Datum]) -> Result<Datum, Fault> {
    let [principal, name, owner] = values else {
        return Err(arguments("applock_mode", 3));
    };
    let (resource, owner) = identify(scope, "applock_mode", principal, name, owner)?;
    let held = scope.engine.state().locks.mode(&resource, owner);
    let name = held.map_or("NoLock", Mode::name);
    Ok(Datum::Text(Type::NVarChar(32), Some(name.to_owned())))
}

/// `APPLOCK_TEST(principal, name, mode, owner)`.
pub(crate) fn test(scope: &evaluate::Scope<'_>, values: &[Datum]) -> Result<Datum, Fault> {
    let [principal, name, mode, owner] = values else {
        return Err(arguments("applock_test", 4));
    };
    let message = "An invalid application lock mode was passed to applock_test.";
    let asked = mode.as_text().ok_or_else(|| Fault::new(1225, message).state(2))?;
    let asked = Mode::named(&asked).ok_or_else(|| Fault::new(1225, message).state(3))?;
    let (resource, owner) = identify(scope, "applock_test", principal, name, owner)?;
    let free = scope.engine.state().locks.test(&resource, owner, asked);
    Ok(Datum::Integer(Type::SmallInt, Some(free.into())))
}

fn identify(
    from: &evaluate::Scope<'_>,
    function: &str,
    principal: &Datum,
    name: &Datum,
    owner: &Datum,
) -> Result<(Resource, Owner), Fault> {
    let owner = owner.as_text().unwrap_or_else(|| "Transaction".to_owned());
    let message = format!("An invalid application lock owner was passed to {function}.");
    let scope = scope(&owner).ok_or_else(|| Fault::new(1226, message))?;
    if scope == Scope::Transaction && from.session.transactions == 0 {
        return Err(no_transaction());
    }
    let principal = principal.as_text().ok_or_else(|| no_principal(function).state(3))?;
    let message = format!("An invalid application lock resource was passed to {function}.");
    let name = name.as_text().ok_or_else(|| Fault::new(1225, message))?;
    let resource = Resource {
        database: from.session.database,
        principal: known_principal(&principal)?,
        name: cut(&name),
    };
    let session = from.session.id;
    Ok((resource, Owner { session, scope }))
}

fn scope(named: &str) -> Option<Scope> {
    match folded(named).as_str() {
        "session" => Some(Scope::Session),
        "transaction" => Some(Scope::Transaction),
        _ => None,
    }
}

fn cut(name: &str) -> Vec<u16> {
    name.encode_utf16().take(NAME).collect()
}

fn text(arguments: &Arguments, place: usize) -> Option<String> {
    arguments.get(place)?.as_ref()?.as_text()
}

fn known_principal(name: &str) -> Result<&'static str, Fault> {
    let found = PRINCIPALS.iter().find(|(known, _)| *known == folded(name));
    let message =
        format!("The database-principal '{name}' does not exist or user is not a member.");
    Ok(found.ok_or_else(|| Fault::new(1202, message))?.0)
}

fn not_recognized(option: &str, parameter: &str) -> Fault {
    let message = format!("Option '{option}' not recognized for '{parameter}' parameter.");
    Fault::new(15625, message).class(0)
}

fn no_principal(to: &str) -> Fault {
    Fault::new(1230, format!("An invalid database principal was passed to {to}."))
}

fn no_transaction() -> Fault {
    let message =
        "The statement or function must be executed in the context of a user transaction.";
    Fault::new(3918, message)
}

fn arguments(function: &str, count: usize) -> Fault {
    let message = format!("The {function} function requires {count} argument(s).");
    Fault::new(174, message).class(15).ending()
}
