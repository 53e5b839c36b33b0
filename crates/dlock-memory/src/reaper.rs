use crate::Database;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the server looks whose time is over.
const LOOKS: Duration = Duration::from_millis(5);

/// Has the sessions ended whose lease is over, and transactions that are idle for too long, from now on, by one
/// thread for a database.
pub(crate) fn reap(database: &Database) {
    let mut table = database.table();
    if std::mem::replace(&mut table.is_reaped, true) {
        return;
    }
    let (table, pace) = (Arc::downgrade(&database.table), Arc::downgrade(&database.pace));
    thread::spawn(move || {
        while let (Some(table), Some(pace)) = (table.upgrade(), pace.upgrade()) {
            if !pace.borrow().is_frozen {
                let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                let silent = table.silent();
                if !silent.is_empty() {
                    table.end(&silent);
                }
                table.fences.end_idle();
            }
            drop((table, pace));
            thread::sleep(LOOKS);
        }
    });
}
