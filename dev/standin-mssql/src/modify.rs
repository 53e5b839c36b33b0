//! The grammar of statements over tables.

use crate::datum::Type;
use crate::fault::Fault;
use crate::parser::Parser;
use crate::syntax::Statement;

impl Parser {
    pub(crate) fn definition(&mut self) -> Result<Statement, Fault> {
        let verb = self.accept_one_of(&["CREATE", "DROP", "TRUNCATE"]);
        self.expect("TABLE")?;
        if verb == Some("TRUNCATE") {
            return Ok(Statement::Truncate(self.qualified()?));
        }
        if verb == Some("DROP") {
            let if_exists = self.accept("IF");
            if if_exists {
                self.expect("EXISTS")?;
            }
            return Ok(Statement::DropTable(self.qualified()?, if_exists));
        }
        let name = self.qualified()?;
        let columns = self.list_in_parentheses(Parser::column)?;
        Ok(Statement::CreateTable(name, columns))
    }

    /// A column with its type; constraints are read and not kept.
    fn column(&mut self) -> Result<(String, Type), Fault> {
        let name = self.identifier()?.to_lowercase();
        let of = self.of_type()?;
        while self
            .accept_one_of(&["NOT", "NULL", "PRIMARY", "KEY", "UNIQUE", "CLUSTERED"])
            .is_some()
        {}
        Ok((name, of))
    }

    pub(crate) fn modification(&mut self) -> Result<Statement, Fault> {
        match self.accept_one_of(&["INSERT", "UPDATE", "DELETE"]) {
            Some("INSERT") => self.insert(),
            Some("UPDATE") => self.update(),
            _ => {
                self.accept("FROM");
                Ok(Statement::Delete(self.source()?, self.filter()?))
            }
        }
    }

    fn insert(&mut self) -> Result<Statement, Fault> {
        self.accept("INTO");
        let table = self.qualified()?;
        let mut columns = Vec::new();
        if self.at_symbol("(") {
            columns = self.list_in_parentheses(|parser| Ok(parser.identifier()?.to_lowercase()))?;
        }
        self.expect("VALUES")?;
        let rows = self.list(|parser| parser.list_in_parentheses(Parser::expression))?;
        Ok(Statement::Insert(table, columns, rows))
    }

    fn update(&mut self) -> Result<Statement, Fault> {
        let table = self.source()?;
        self.expect("SET")?;
        let changes = self.list(|parser| {
            let column = parser.qualified()?;
            parser.expect_symbol("=")?;
            Ok((column, parser.expression()?))
        })?;
        Ok(Statement::Update(table, changes, self.filter()?))
    }
}
