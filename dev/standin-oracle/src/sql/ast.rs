//! What a parsed statement is made of.

use super::value::Type;
use crate::fault::Place;

/// A name with its qualifiers, in upper case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub(crate) parts: Vec<String>,
    pub(crate) place: Place,
}

impl Path {
    pub(crate) fn dotted(&self) -> String {
        self.parts.join(".")
    }

    /// The name itself, without schema or package.
    pub(crate) fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: Option<String>,
    pub(crate) value: Expression,
}

#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    pub(crate) path: Path,
    pub(crate) arguments: Vec<Argument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Concatenate,
    Multiply,
    Divide,
}

#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Null,
    Number(f64),
    Text(String),
    Bool(bool),
    /// `TIMESTAMP '…'`, in seconds since 1970.
    Instant(f64),
    /// `INTERVAL '…' SECOND`, in seconds.
    Interval(f64),
    Bind(String),
    /// A variable, a column, or a function without arguments.
    Name(Path),
    Call(Invocation),
    CountAll,
    Not(Box<Expression>),
    Negative(Box<Expression>),
    IsNull(Box<Expression>, bool),
    In(Box<Expression>, Vec<Expression>),
    Between(Box<Expression>, Box<Expression>, Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>, Place),
    Case(Vec<(Expression, Expression)>, Option<Box<Expression>>),
    /// `EXTRACT(unit FROM …)`.
    Extract(String, Box<Expression>),
}

/// Where a value goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Variable(Path),
    Bind(String),
}

#[derive(Debug, Clone)]
pub(crate) enum Declaration {
    Variable {
        name: String,
        kind: Type,
        constant: bool,
        initial: Option<Expression>,
        place: Place,
    },
    Exception(String),
    /// `PRAGMA EXCEPTION_INIT(name, code)`.
    Code(String, i32),
}

#[derive(Debug, Clone)]
pub(crate) struct Handler {
    /// Names of exceptions; none means OTHERS.
    pub(crate) names: Vec<String>,
    pub(crate) body: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) declarations: Vec<Declaration>,
    pub(crate) body: Vec<Step>,
    pub(crate) handlers: Vec<Handler>,
}

#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) columns: Vec<(Expression, String)>,
    pub(crate) into: Vec<Target>,
    pub(crate) table: Path,
    pub(crate) alias: Option<String>,
    pub(crate) join: Option<Join>,
    pub(crate) condition: Option<Expression>,
}

/// A second table.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) table: Path,
    pub(crate) alias: Option<String>,
    pub(crate) on: Expression,
}

/// One statement of PL/SQL.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Null,
    Assign(Target, Expression, Place),
    Call(Invocation),
    If(Vec<(Expression, Vec<Step>)>, Vec<Step>),
    Loop(Vec<Step>),
    While(Expression, Vec<Step>),
    For(String, Expression, Expression, Vec<Step>),
    Exit(Option<Expression>),
    Continue(Option<Expression>),
    Return,
    Raise(Option<String>),
    Nested(Block),
    Select(Query),
    /// COMMIT or ROLLBACK.
    EndTransaction,
    /// EXECUTE IMMEDIATE, and where the values of its row go.
    Execute(Expression, Vec<Target>),
}
