//! A struct that owns its lock, and works in a task of its own.

use crate::{in_time, locks};
use dlock_db::postgres::{Held, Locks, LocksError};

struct Import {
    held: Held,
    rows: u32,
}

impl Import {
    // lock
    async fn begin(locks: &Locks, file: &str) -> Result<Self, LocksError> {
        Ok(Self { held: locks.lock(format!("program:import:{file}")).await?, rows: 0 })
    }
    // end

    async fn row(&mut self) -> Result<(), LocksError> {
        // lock
        self.held.must_have(std::time::Duration::from_secs(1))?;
        // end
        self.rows += 1;
        Ok(())
    }

    async fn finish(self) -> Result<u32, LocksError> {
        // lock
        self.held.release().await?;
        // end
        Ok(self.rows)
    }
}

#[tokio::test]
async fn it_owns_its_lock() {
    let (locks, elsewhere) = (locks().await, crate::locks().await);
    let mut import = in_time(Import::begin(&locks, "a.csv")).await.expect("a lock");
    let file = "program:import:a.csv";
    assert!(in_time(elsewhere.try_lock(file)).await.expect("an answer").is_none());
    let working = tokio::spawn(async move {
        import.row().await?;
        import.finish().await
    });
    assert_eq!(in_time(working).await.expect("no panic").expect("rows"), 1);
    assert!(in_time(elsewhere.try_lock(file)).await.expect("an answer").is_some());
}
