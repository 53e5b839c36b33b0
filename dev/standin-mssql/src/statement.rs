//! The grammar of statements.

use crate::fault::Fault;
use crate::lexer::Token;
use crate::parser::Parser;
use crate::syntax::{Argument, Declaration, Expression, Setting, Statement};

/// Options that are turned on and off, or given a value.
const KNOWN: [&str; 14] = [
    "XACT_ABORT",
    "NOCOUNT",
    "IMPLICIT_TRANSACTIONS",
    "QUOTED_IDENTIFIER",
    "ANSI_NULLS",
    "ANSI_PADDING",
    "ANSI_WARNINGS",
    "ANSI_NULL_DFLT_ON",
    "ARITHABORT",
    "CONCAT_NULL_YIELDS_NULL",
    "NUMERIC_ROUNDABORT",
    "TEXTSIZE",
    "DEADLOCK_PRIORITY",
    "ROWCOUNT",
];

impl Parser {
    /// Statements up to where `ends` says so.
    pub(crate) fn statements(
        &mut self,
        ends: impl Fn(&Parser) -> bool,
    ) -> Result<Vec<Statement>, Fault> {
        let mut all = Vec::new();
        loop {
            while self.accept_symbol(";") {}
            if ends(self) {
                return Ok(all);
            }
            all.push(self.statement()?);
        }
    }

    fn statement(&mut self) -> Result<Statement, Fault> {
        let Some(Token::Word(word)) = self.peek() else {
            return Err(self.unexpected());
        };
        match word.to_ascii_uppercase().as_str() {
            "SELECT" => Ok(Statement::Select(self.query()?)),
            "DECLARE" => self.declaration(),
            "SET" => self.set(),
            "BEGIN" | "COMMIT" | "ROLLBACK" | "SAVE" => self.block_or_transaction(),
            "IF" | "WHILE" | "RETURN" | "BREAK" | "CONTINUE" => self.flow(),
            "EXEC" | "EXECUTE" => self.execute(),
            "PRINT" | "THROW" | "RAISERROR" => self.message(),
            "WAITFOR" | "KILL" | "USE" => self.session(),
            "CREATE" | "DROP" | "TRUNCATE" => self.definition(),
            "INSERT" | "UPDATE" | "DELETE" => self.modification(),
            _ => Err(self.unexpected()),
        }
    }

    fn declaration(&mut self) -> Result<Statement, Fault> {
        self.expect("DECLARE")?;
        let all = self.list(|parser| {
            let name = parser.declare()?;
            parser.accept("AS");
            let of = parser.of_type()?;
            let value = match parser.accept_symbol("=") {
                true => Some(parser.expression()?),
                false => None,
            };
            Ok(Declaration { name, of, value })
        })?;
        Ok(Statement::Declare(all))
    }

    fn set(&mut self) -> Result<Statement, Fault> {
        self.expect("SET")?;
        if matches!(self.peek(), Some(Token::Variable(_))) {
            return self.assignment();
        }
        if self.accept("LOCK_TIMEOUT") {
            return Ok(Statement::Set(Setting::LockTimeout(self.expression()?)));
        }
        if self.accept("TRANSACTION") {
            self.expect("ISOLATION")?;
            self.expect("LEVEL")?;
            self.identifier()?;
            self.accept_one_of(&["READ", "COMMITTED", "UNCOMMITTED"]);
            return Ok(Statement::Set(Setting::Other));
        }
        self.switch()
    }

    fn assignment(&mut self) -> Result<Statement, Fault> {
        let name = self.variable()?;
        for (symbol, operator) in [("+=", "+"), ("-=", "-")] {
            if self.accept_symbol(symbol) {
                let old = Expression::Variable(name.clone());
                let by = self.expression()?;
                let sum = Expression::Arithmetic(operator, old.into(), by.into());
                return Ok(Statement::Assign(name, sum));
            }
        }
        self.expect_symbol("=")?;
        Ok(Statement::Assign(name, self.expression()?))
    }

    /// An option that is turned on or off, or given a value.
    fn switch(&mut self) -> Result<Statement, Fault> {
        let option = self.accept_one_of(&KNOWN).ok_or_else(|| self.unexpected())?;
        let on = self.accept("ON");
        if !on && !self.accept("OFF") {
            self.expression()?;
        }
        Ok(Statement::Set(match option {
            "XACT_ABORT" => Setting::XactAbort(on),
            "NOCOUNT" => Setting::NoCount(on),
            "IMPLICIT_TRANSACTIONS" => Setting::ImplicitTransactions(on),
            _ => Setting::Other,
        }))
    }

    fn block_or_transaction(&mut self) -> Result<Statement, Fault> {
        const TRANSACTION: [&str; 2] = ["TRANSACTION", "TRAN"];
        let verb = self.accept_one_of(&["BEGIN", "COMMIT", "ROLLBACK", "SAVE"]);
        let named = self.accept_one_of(&TRANSACTION).is_some();
        match verb {
            Some("BEGIN") if !named => self.block(),
            Some("BEGIN") => {
                self.transaction_name();
                Ok(Statement::Begin)
            }
            Some("COMMIT") => {
                self.accept("WORK");
                if named {
                    self.transaction_name();
                }
                Ok(Statement::Commit)
            }
            Some("SAVE") => Ok(Statement::Save(self.identifier()?)),
            _ => {
                self.accept("WORK");
                Ok(Statement::Rollback(if named { self.transaction_name() } else { None }))
            }
        }
    }

    fn transaction_name(&mut self) -> Option<String> {
        let named = self.at_identifier() && !self.at("THROW");
        if named { self.identifier().ok() } else { None }
    }

    fn block(&mut self) -> Result<Statement, Fault> {
        if !self.accept("TRY") {
            let all = self.statements(|parser| parser.at("END"))?;
            self.expect("END")?;
            return Ok(Statement::Block(all));
        }
        let body = self.statements(|parser| parser.at("END"))?;
        for word in ["END", "TRY", "BEGIN", "CATCH"] {
            self.expect(word)?;
        }
        let handler = self.statements(|parser| parser.at("END"))?;
        self.expect("END")?;
        self.expect("CATCH")?;
        Ok(Statement::Try(body, handler))
    }

    fn flow(&mut self) -> Result<Statement, Fault> {
        match self.accept_one_of(&["IF", "WHILE", "RETURN", "BREAK", "CONTINUE"]) {
            Some("IF") => self.branch(),
            Some("WHILE") => {
                let condition = self.expression()?;
                Ok(Statement::While(condition, self.statement()?.into()))
            }
            Some("BREAK") => Ok(Statement::Break),
            Some("CONTINUE") => Ok(Statement::Continue),
            _ => {
                let status = match self.peek() {
                    None | Some(Token::Symbol(";" | ")")) => None,
                    Some(Token::Word(_)) => None,
                    Some(_) => Some(self.expression()?),
                };
                Ok(Statement::Return(status))
            }
        }
    }

    fn branch(&mut self) -> Result<Statement, Fault> {
        let condition = self.expression()?;
        let then = self.statement()?.into();
        let ended = self.at_symbol(";")
            && matches!(self.peek_second(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("ELSE"));
        if ended {
            self.advance();
        }
        let otherwise = match self.accept("ELSE") {
            true => Some(self.statement()?.into()),
            false => None,
        };
        Ok(Statement::If(condition, then, otherwise))
    }

    fn execute(&mut self) -> Result<Statement, Fault> {
        self.accept_one_of(&["EXECUTE", "EXEC"]);
        if self.accept_symbol("(") {
            let text = self.expression()?;
            self.expect_symbol(")")?;
            return Ok(Statement::ExecuteText(text));
        }
        let mut into = None;
        if let (Some(Token::Variable(_)), Some(Token::Symbol("="))) =
            (self.peek(), self.peek_second())
        {
            into = Some(self.variable()?);
            self.expect_symbol("=")?;
        }
        // `@name` calls the procedure that the variable names.
        let procedure = match self.peek() {
            Some(Token::Variable(_)) => self.variable()?,
            _ => self.qualified()?,
        };
        let none = match self.peek() {
            None | Some(Token::Symbol(_)) => !self.at_symbol("-"),
            Some(Token::Word(_)) => {
                !self.at("NULL") && !self.at("DEFAULT") && !self.at_identifier()
            }
            Some(_) => false,
        };
        let arguments = if none { Vec::new() } else { self.list(Parser::argument)? };
        Ok(Statement::Execute(into, procedure, arguments))
    }

    /// `@name = value`, or a value by its place; only literals and variables may be values.
    fn argument(&mut self) -> Result<Argument, Fault> {
        let mut name = None;
        if let (Some(Token::Variable(found)), Some(Token::Symbol("="))) =
            (self.peek(), self.peek_second())
        {
            name = Some(found.clone());
            self.advance();
            self.advance();
        }
        let value = match self.accept("DEFAULT") {
            true => None,
            false => Some(self.argument_value()?),
        };
        let output = self.accept_one_of(&["OUTPUT", "OUT"]).is_some();
        Ok(Argument { name, value, output })
    }

    fn argument_value(&mut self) -> Result<Expression, Fault> {
        if self.at_identifier() {
            let word = self.identifier()?;
            return Ok(Expression::Literal(crate::datum::Datum::text(&word)));
        }
        if self.accept_symbol("-") {
            return Ok(Expression::Negative(self.argument_value()?.into()));
        }
        match self.peek() {
            Some(Token::Variable(_)) => Ok(Expression::Variable(self.variable()?)),
            Some(Token::Symbol(_)) | None => Err(self.unexpected()),
            Some(_) => self.operand(),
        }
    }

    fn message(&mut self) -> Result<Statement, Fault> {
        match self.accept_one_of(&["PRINT", "THROW", "RAISERROR"]) {
            Some("PRINT") => Ok(Statement::Print(self.expression()?)),
            Some("THROW") => {
                if !matches!(self.peek(), Some(Token::Number(_) | Token::Variable(_))) {
                    return Ok(Statement::Throw(None));
                }
                let mut parts = self.list(Parser::expression)?.into_iter();
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(number), Some(text), Some(state)) => {
                        Ok(Statement::Throw(Some((number, text, state))))
                    }
                    _ => Err(self.unexpected()),
                }
            }
            _ => self.raise(),
        }
    }

    fn raise(&mut self) -> Result<Statement, Fault> {
        let mut parts = self.list_in_parentheses(Parser::expression)?.into_iter();
        if self.accept("WITH") {
            self.list(Parser::identifier)?;
        }
        match (parts.next(), parts.next(), parts.next()) {
            (Some(text), Some(class), Some(state)) => Ok(Statement::Raise(text, class, state)),
            _ => Err(self.unexpected()),
        }
    }

    fn session(&mut self) -> Result<Statement, Fault> {
        match self.accept_one_of(&["WAITFOR", "KILL", "USE"]) {
            Some("WAITFOR") => {
                self.expect("DELAY")?;
                Ok(Statement::WaitFor(self.expression()?))
            }
            Some("KILL") => Ok(Statement::Kill(self.operand()?)),
            _ => Ok(Statement::Use(self.identifier()?)),
        }
    }
}
