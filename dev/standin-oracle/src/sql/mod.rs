//! SQL and PL/SQL: as much of them as an observer and a lock need, interpreted.

mod ast;
mod check;
mod expression;
mod function;
mod lexer;
mod machine;
mod package;
mod parser;
mod query;
mod signature;
mod statement;
mod value;
mod variable;

pub(crate) use lexer::bind_names;
pub(crate) use machine::BindValue;
pub(crate) use query::Table;
pub(crate) use statement::{Kind, run};
pub(crate) use value::{Type, Value};
