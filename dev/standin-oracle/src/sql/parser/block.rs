//! Blocks: declarations, statements, handlers.

use super::Parser;
use crate::fault::Fault;
use crate::sql::ast::{Block, Declaration, Expression, Handler, Invocation, Step, Target};
use crate::sql::lexer::Token;
use crate::sql::value::Type;

impl Parser {
    /// A block up to and with its END.
    pub(super) fn block(&mut self) -> Result<Block, Fault> {
        let declarations = if self.accept("DECLARE") { self.declarations()? } else { Vec::new() };
        self.word("BEGIN")?;
        let body = self.steps()?;
        let mut handlers = Vec::new();
        if self.accept("EXCEPTION") {
            while self.accept("WHEN") {
                handlers.push(self.handler()?);
            }
        }
        self.word("END")?;
        if matches!(self.peek(), Token::Word(_)) {
            self.name()?;
        }
        Ok(Block { declarations, body, handlers })
    }

    fn declarations(&mut self) -> Result<Vec<Declaration>, Fault> {
        let mut declarations = Vec::new();
        while !self.is_word("BEGIN") {
            declarations.push(self.declaration()?);
            self.symbol(";")?;
        }
        Ok(declarations)
    }

    fn declaration(&mut self) -> Result<Declaration, Fault> {
        if self.accept("PRAGMA") {
            return self.pragma();
        }
        let place = self.place();
        let name = self.name()?;
        if self.accept("EXCEPTION") {
            return Ok(Declaration::Exception(name));
        }
        let constant = self.accept("CONSTANT");
        let kind = self.kind()?;
        let given = self.accept_symbol(":=") || self.accept("DEFAULT");
        let initial = if given { Some(self.expression()?) } else { None };
        Ok(Declaration::Variable { name, kind, constant, initial, place })
    }

    fn pragma(&mut self) -> Result<Declaration, Fault> {
        self.word("EXCEPTION_INIT")?;
        self.symbol("(")?;
        let name = self.name()?;
        self.symbol(",")?;
        let sign = if self.accept_symbol("-") { -1.0 } else { 1.0 };
        let Token::Number(code) = self.next() else {
            return Err(self.unexpected("a number"));
        };
        self.symbol(")")?;
        let code = crate::number::to_integer(sign * code).and_then(|code| i32::try_from(code).ok());
        Ok(Declaration::Code(name, code.unwrap_or(0)))
    }

    fn kind(&mut self) -> Result<Type, Fault> {
        let place = self.place();
        let kind = match self.name()?.as_str() {
            "NUMBER" | "FLOAT" | "BINARY_DOUBLE" => Type::Number,
            "INTEGER" | "INT" | "PLS_INTEGER" | "BINARY_INTEGER" | "NATURAL" | "POSITIVE"
            | "SIMPLE_INTEGER" => Type::Integer,
            "VARCHAR2" | "VARCHAR" | "CHAR" => Type::Text,
            "BOOLEAN" => Type::Bool,
            "TIMESTAMP" => Type::Instant,
            "INTERVAL" => Type::Interval,
            other => {
                return Err(Fault::compile(
                    place,
                    201,
                    format!("identifier '{other}' must be declared"),
                ));
            }
        };
        self.kind_details(kind)?;
        Ok(kind)
    }

    fn kind_details(&mut self, kind: Type) -> Result<(), Fault> {
        if kind == Type::Interval {
            self.word("DAY")?;
            self.precision()?;
            self.word("TO")?;
            self.word("SECOND")?;
        }
        self.precision()?;
        if kind == Type::Instant && self.accept("WITH") {
            self.accept("LOCAL");
            self.word("TIME")?;
            self.word("ZONE")?;
        }
        Ok(())
    }

    fn precision(&mut self) -> Result<(), Fault> {
        if !self.accept_symbol("(") {
            return Ok(());
        }
        while matches!(self.peek(), Token::Number(_) | Token::Symbol("," | "-")) {
            self.next();
        }
        let _ = self.accept("BYTE") || self.accept("CHAR");
        self.symbol(")")
    }

    fn handler(&mut self) -> Result<Handler, Fault> {
        let mut names = Vec::new();
        if !self.accept("OTHERS") {
            names.push(self.name()?);
            while self.accept("OR") {
                names.push(self.name()?);
            }
        }
        self.word("THEN")?;
        let body = self.steps()?;
        Ok(Handler { names, body })
    }

    /// At least one statement, up to a word that closes the list.
    fn steps(&mut self) -> Result<Vec<Step>, Fault> {
        let mut steps = Vec::new();
        loop {
            steps.push(self.step()?);
            self.symbol(";")?;
            if ["END", "EXCEPTION", "ELSE", "ELSIF", "WHEN"].iter().any(|word| self.is_word(word)) {
                return Ok(steps);
            }
        }
    }

    fn step(&mut self) -> Result<Step, Fault> {
        let Token::Word(word) = self.peek().clone() else {
            return self.assignment_or_call();
        };
        match word.as_str() {
            "NULL" => self.keyword_step(Step::Null),
            "RETURN" => self.keyword_step(Step::Return),
            "COMMIT" | "ROLLBACK" => self.end_of_transaction(),
            "DECLARE" | "BEGIN" => self.block().map(Step::Nested),
            "IF" => self.branch(),
            "LOOP" => self.body().map(Step::Loop),
            "WHILE" => self.while_loop(),
            "FOR" => self.for_loop(),
            "EXIT" => self.leave(Step::Exit),
            "CONTINUE" => self.leave(Step::Continue),
            "RAISE" => self.raise(),
            "SELECT" => self.keyword_step(Step::Null).and_then(|_| self.query()).map(Step::Select),
            "EXECUTE" => self.execute(),
            _ => self.assignment_or_call(),
        }
    }

    fn keyword_step(&mut self, step: Step) -> Result<Step, Fault> {
        self.next();
        Ok(step)
    }

    fn end_of_transaction(&mut self) -> Result<Step, Fault> {
        self.next();
        self.accept("WORK");
        Ok(Step::EndTransaction)
    }

    fn branch(&mut self) -> Result<Step, Fault> {
        let mut arms = Vec::new();
        self.word("IF")?;
        loop {
            let condition = self.expression()?;
            self.word("THEN")?;
            arms.push((condition, self.steps()?));
            if !self.accept("ELSIF") {
                break;
            }
        }
        let otherwise = if self.accept("ELSE") { self.steps()? } else { Vec::new() };
        self.word("END")?;
        self.word("IF")?;
        Ok(Step::If(arms, otherwise))
    }

    fn body(&mut self) -> Result<Vec<Step>, Fault> {
        self.word("LOOP")?;
        let steps = self.steps()?;
        self.word("END")?;
        self.word("LOOP")?;
        Ok(steps)
    }

    fn while_loop(&mut self) -> Result<Step, Fault> {
        self.word("WHILE")?;
        let condition = self.expression()?;
        Ok(Step::While(condition, self.body()?))
    }

    fn for_loop(&mut self) -> Result<Step, Fault> {
        self.word("FOR")?;
        let name = self.name()?;
        self.word("IN")?;
        let first = self.expression()?;
        self.symbol("..")?;
        let last = self.expression()?;
        Ok(Step::For(name, first, last, self.body()?))
    }

    fn leave(&mut self, step: fn(Option<Expression>) -> Step) -> Result<Step, Fault> {
        self.next();
        let condition = if self.accept("WHEN") { Some(self.expression()?) } else { None };
        Ok(step(condition))
    }

    fn raise(&mut self) -> Result<Step, Fault> {
        self.word("RAISE")?;
        let named = matches!(self.peek(), Token::Word(_));
        Ok(Step::Raise(if named { Some(self.name()?) } else { None }))
    }

    fn execute(&mut self) -> Result<Step, Fault> {
        self.word("EXECUTE")?;
        self.word("IMMEDIATE")?;
        let text = self.expression()?;
        let into = if self.accept("INTO") { self.targets()? } else { Vec::new() };
        Ok(Step::Execute(text, into))
    }

    fn assignment_or_call(&mut self) -> Result<Step, Fault> {
        let place = self.place();
        if let Token::Bind(name) = self.peek().clone() {
            self.next();
            self.symbol(":=")?;
            return Ok(Step::Assign(Target::Bind(name), self.expression()?, place));
        }
        let path = self.path()?;
        if self.accept_symbol(":=") {
            return Ok(Step::Assign(Target::Variable(path), self.expression()?, place));
        }
        let arguments = self.arguments()?;
        Ok(Step::Call(Invocation { path, arguments }))
    }
}
