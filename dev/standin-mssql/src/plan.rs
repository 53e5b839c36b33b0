//! Texts that were parsed before, as a server keeps its plans.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::datum::Type;
use crate::fault::Fault;
use crate::parser;
use crate::syntax::Statement;

/// How many texts are kept before all are forgotten.
const KEPT: usize = 1000;

/// What a text means: where these variables are known, these statements.
type Plan = (Vec<String>, Arc<Vec<Statement>>);

/// The parameters that a text declares.
type Parameters = Arc<Vec<(String, Type)>>;

/// The plans of a server.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    texts: Mutex<HashMap<String, Vec<Plan>>>,
    declarations: Mutex<HashMap<String, Parameters>>,
}

impl Plans {
    /// The statements of a text.
    pub(crate) fn of<'a>(
        &self,
        text: &str,
        known: impl Iterator<Item = &'a String> + Clone,
    ) -> Result<Arc<Vec<Statement>>, Fault> {
        let mut plans = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = plans.get(text).into_iter().flatten();
        if let Some((_, plan)) = kept.clone().find(|(names, _)| names.iter().eq(known.clone())) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(parser::parse(text, known.clone())?);
        if plans.len() >= KEPT {
            plans.clear();
        }
        let named = (known.cloned().collect(), Arc::clone(&plan));
        plans.entry(text.to_owned()).or_default().push(named);
        Ok(plan)
    }

    /// The parameters of a declaration.
    pub(crate) fn parameters(&self, text: &str) -> Result<Parameters, Fault> {
        let mut kept = self.declarations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parameters) = kept.get(text) {
            return Ok(Arc::clone(parameters));
        }
        let parameters = Arc::new(parser::parameters(text)?);
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(text.to_owned(), Arc::clone(&parameters));
        Ok(parameters)
    }
}
