//! The parts that a batch is made of.

use crate::datum::{Datum, Type};

/// An expression, or a condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Literal(Datum),
    Variable(String),
    Global(String),
    /// A column, by its last name.
    Column(String),
    Negative(Box<Expression>),
    Arithmetic(&'static str, Box<Expression>, Box<Expression>),
    Comparison(&'static str, Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    IsNull(Box<Expression>),
    Like(Box<Expression>, Box<Expression>),
    Between(Box<Expression>, Box<Expression>, Box<Expression>),
    Within(Box<Expression>, Vec<Expression>),
    WithinQuery(Box<Expression>, Box<Select>),
    Exists(Box<Select>),
    Query(Box<Select>),
    Case(Case),
    Convert(Type, Box<Expression>),
    Call(String, Vec<Expression>),
    /// COUNT, SUM, MIN or MAX; without an argument it is COUNT(*).
    Aggregate(String, Option<Box<Expression>>),
}

/// `CASE … END`; `of` is absent when the branches are conditions.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    pub(crate) of: Option<Box<Expression>>,
    pub(crate) branches: Vec<(Expression, Expression)>,
    pub(crate) otherwise: Option<Box<Expression>>,
}

/// One item of a select list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    All,
    Value(Expression, String),
    Assign(String, Expression),
}

/// A query over at most one source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Select {
    pub(crate) top: Option<Expression>,
    pub(crate) distinct: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) source: Option<String>,
    pub(crate) filter: Option<Expression>,
    pub(crate) order: Vec<(Expression, bool)>,
}

/// One argument of EXEC.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    /// `None` is DEFAULT.
    pub(crate) value: Option<Expression>,
    pub(crate) output: bool,
}

/// One variable of DECLARE.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) of: Type,
    pub(crate) value: Option<Expression>,
}

/// What SET changes of the session.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Setting {
    LockTimeout(Expression),
    XactAbort(bool),
    NoCount(bool),
    ImplicitTransactions(bool),
    /// Understood, and of no effect here.
    Other,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    Declare(Vec<Declaration>),
    Assign(String, Expression),
    Set(Setting),
    Select(Select),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    Break,
    Continue,
    Block(Vec<Statement>),
    Try(Vec<Statement>, Vec<Statement>),
    /// The variable for the status, the procedure and its arguments.
    Execute(Option<String>, String, Vec<Argument>),
    ExecuteText(Expression),
    Return(Option<Expression>),
    Begin,
    Commit,
    /// To this savepoint, or all of it.
    Rollback(Option<String>),
    Save(String),
    /// Number, message and state; nothing to raise what was caught again.
    Throw(Option<(Expression, Expression, Expression)>),
    /// Message, severity and state.
    Raise(Expression, Expression, Expression),
    Print(Expression),
    WaitFor(Expression),
    Kill(Expression),
    Use(String),
    CreateTable(String, Vec<(String, Type)>),
    DropTable(String, bool),
    Truncate(String),
    /// Table, columns, rows.
    Insert(String, Vec<String>, Vec<Vec<Expression>>),
    Update(String, Vec<(String, Expression)>, Option<Expression>),
    Delete(String, Option<Expression>),
}
