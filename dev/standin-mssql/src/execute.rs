//! EXEC: calls of procedures, and texts that are run.

use std::collections::BTreeMap;

use crate::applock;
use crate::batch::{Batch, Flow};
use crate::datum::{Datum, Type};
use crate::engine::DATABASES;
use crate::expression::last_part;
use crate::fault::Fault;
use crate::rpc::Call;
use crate::syntax::{Argument, Expression};
use crate::token::COUNT;

/// What a call passes: a name where it was given, and a value where it is not the default.
type Passed = (Option<String>, Option<Datum>);

const SELECT: u16 = 193;
const BRANCH: u16 = 192;

impl Batch<'_> {
    pub(crate) async fn execute(
        &mut self,
        into: Option<&str>,
        procedure: &str,
        arguments: &[Argument],
    ) -> Result<Flow, Fault> {
        let mut passed = Vec::new();
        for argument in arguments {
            let value = match &argument.value {
                Some(value) => Some(self.scope().value(value)?),
                None => None,
            };
            passed.push((argument.name.clone(), value));
        }
        let outputs = match procedure.starts_with('@') {
            true => {
                let named = self.scope().value(&Expression::Variable(procedure.to_owned()))?;
                self.call(&named.as_text().unwrap_or_default().to_lowercase(), passed).await?
            }
            false => self.call(procedure, passed).await?,
        };
        self.answer.end_of_call(outputs.status);
        if let Some(name) = into {
            self.assign(name, &Datum::int(outputs.status))?;
        }
        for argument in arguments.iter().filter(|argument| argument.output) {
            let (Some(name), Some(Expression::Variable(to))) = (&argument.name, &argument.value)
            else {
                continue;
            };
            if let Some(value) = outputs.variables.get(&name.to_lowercase()) {
                self.assign(to, value)?;
            }
        }
        Ok(Flow::Next)
    }

    pub(crate) async fn execute_text(&mut self, text: &Expression) -> Result<Flow, Fault> {
        let text = self.scope().value(text)?.as_text().unwrap_or_default();
        let outcome = self.nested(&text, BTreeMap::new()).await;
        outcome.map(|_| Flow::Next)
    }

    /// Runs a text with variables of its own.
    async fn nested(
        &mut self,
        text: &str,
        variables: BTreeMap<String, Datum>,
    ) -> Result<Outputs, Fault> {
        let outer = std::mem::replace(&mut self.variables, variables);
        self.answer.depth += 1;
        let outcome = self.text(text).await;
        self.answer.depth -= 1;
        let variables = std::mem::replace(&mut self.variables, outer);
        let status = match outcome? {
            Flow::Return(status) => status,
            _ => 0,
        };
        Ok(Outputs { status, variables })
    }

    /// Serves a remote call to its end.
    pub(crate) async fn remote(&mut self, call: Call) {
        let passed = call.parameters.into_iter().map(|parameter| {
            let name = Some(parameter.name).filter(|name| !name.is_empty());
            (name, Some(parameter.value))
        });
        let before = self.session.transactions;
        let text = last_part(&call.procedure).eq_ignore_ascii_case("sp_executesql");
        let outcome = self.call(&call.procedure.to_lowercase(), passed.collect()).await;
        self.answer.depth = 1;
        let failed = outcome.is_err();
        let flow = outcome.map(|outputs| Flow::Return(outputs.status));
        let status = self.conclude(flow);
        let after = self.session.transactions;
        if text && !failed && after != before {
            self.mismatch(before, after);
        }
        self.answer.finish_call(status, failed);
    }

    fn mismatch(&mut self, before: i32, after: i32) {
        let message = format!(
            "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT statements. Previous count = {before}, current count = {after}."
        );
        self.answer.fault(&Fault::new(266, message).state(2));
    }

    /// Runs a procedure. A system procedure that is called by a database's name runs in that database.
    async fn call(&mut self, procedure: &str, passed: Vec<Passed>) -> Result<Outputs, Fault> {
        let here = self.session.database;
        self.session.database = database_of(procedure, here)?;
        let outputs = self.call_here(procedure, passed).await;
        self.session.database = here;
        outputs
    }

    async fn call_here(&mut self, procedure: &str, passed: Vec<Passed>) -> Result<Outputs, Fault> {
        match last_part(procedure) {
            "sp_getapplock" => {
                let bound = bind("sp_getapplock", &applock::GET, passed)?;
                let status = self.get_lock(&bound).await?;
                self.trace(4);
                Ok(Outputs::of(status))
            }
            "sp_releaseapplock" => {
                let bound = bind("sp_releaseapplock", &applock::RELEASE, passed)?;
                let status = self.release_lock(&bound)?;
                self.trace(2);
                Ok(Outputs::of(status))
            }
            "sp_executesql" => Box::pin(self.execute_sql(passed)).await,
            _ => {
                let message = format!("Could not find stored procedure '{procedure}'.");
                Err(Fault::new(2812, message).state(62))
            }
        }
    }

    /// The ends of the statements within a procedure, which a client gets to see.
    fn trace(&mut self, statements: u32) {
        if self.session.no_count {
            return;
        }
        self.answer.depth += 1;
        for _ in 0..statements {
            self.answer.done(COUNT, SELECT, 1);
            self.answer.done(0, BRANCH, 0);
        }
        self.answer.depth -= 1;
    }

    /// `sp_executesql`: the text, the declaration of its parameters, their values.
    async fn execute_sql(&mut self, passed: Vec<Passed>) -> Result<Outputs, Fault> {
        let mut passed = passed.into_iter();
        let mut text = |parameter: &str| match passed.next() {
            Some((_, Some(value))) => Ok(value.as_text().unwrap_or_default()),
            _ => Err(missing("sp_executesql", parameter)),
        };
        let statement = text("@stmt")?;
        let declared = text("@params").unwrap_or_default();
        let declared = self.engine.plans.parameters(&declared)?;
        let names: Vec<(&str, bool)> =
            declared.iter().map(|(name, _)| (name.as_str(), true)).collect();
        let values = bind("", &names, passed.collect())?;
        let mut variables = BTreeMap::new();
        for ((name, of), value) in declared.iter().zip(values) {
            let value = value.unwrap_or_else(|| Type::Int.null()).convert(*of)?;
            variables.insert(name.clone(), value);
        }
        self.nested(&statement, variables).await
    }
}

/// The database that a procedure's name begins with, or this one.
fn database_of(procedure: &str, here: &'static str) -> Result<&'static str, Fault> {
    let parts: Vec<&str> = procedure.split('.').collect();
    let [name, _, _] = parts[..] else { return Ok(here) };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let known = DATABASES.iter().find(|known| known.eq_ignore_ascii_case(name));
    let message = format!("Could not find database '{name}'.");
    Ok(*known.ok_or_else(|| Fault::new(2812, message).state(62))?)
}

/// What a call leaves behind.
#[derive(Debug)]
struct Outputs {
    status: i32,
    variables: BTreeMap<String, Datum>,
}

impl Outputs {
    fn of(status: i32) -> Outputs {
        Outputs { status, variables: BTreeMap::new() }
    }
}

/// Puts what a call passes into the places of a procedure's parameters.
fn bind(
    procedure: &str,
    parameters: &[(&str, bool)],
    passed: Vec<Passed>,
) -> Result<Vec<Option<Datum>>, Fault> {
    let mut bound = vec![None; parameters.len()];
    let mut given = vec![false; parameters.len()];
    let mut named = false;
    for (number, (name, value)) in passed.into_iter().enumerate() {
        let place = match &name {
            Some(name) => place_of(procedure, parameters, name)?,
            None if named => return Err(positional(number + 1)),
            None => number,
        };
        named |= name.is_some();
        let message =
            format!("Procedure or function {procedure} has too many arguments specified.");
        *bound.get_mut(place).ok_or_else(|| Fault::new(8144, message).state(2))? = value;
        given[place] = true;
    }
    for ((name, required), given) in parameters.iter().zip(given) {
        if *required && !given {
            return Err(missing(procedure, name));
        }
    }
    Ok(bound)
}

fn place_of(procedure: &str, parameters: &[(&str, bool)], name: &str) -> Result<usize, Fault> {
    let place = parameters.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
    let message = format!("{name} is not a parameter for procedure {procedure}.");
    place.ok_or_else(|| Fault::new(8145, message))
}

fn positional(number: usize) -> Fault {
    let message = format!(
        "Must pass parameter number {number} and subsequent parameters as '@name = value'. After the form '@name = value' has been used, all subsequent parameters must be passed in the form '@name = value'."
    );
    Fault::new(119, message).class(15).ending()
}

fn missing(procedure: &str, parameter: &str) -> Fault {
    let message = format!(
        "Procedure or function '{procedure}' expects parameter '{parameter}', which was not supplied."
    );
    Fault::new(201, message).state(4)
}
