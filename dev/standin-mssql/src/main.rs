//! The stand-in as a process: it prints its connection string and runs until its input ends.

use std::io::{self, Write};

use standin_mssql::Server;
use tokio::io::AsyncReadExt;

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start().await?;
        println!("{}", server.url());
        io::stdout().flush()?;
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await?;
        Ok(())
    })
}
