//! Who holds and who waits.

use crate::locks::Leased;
use crate::{Database, Ended, Key};
use dlock_locks::{Finding, Holder, InspectDriver, SessionOptions};

impl InspectDriver for Database {
    async fn holders(session: &Leased, key: Option<&Key>) -> Result<Vec<Holder<Key>>, Ended> {
        session.0.arrive().await;
        let holders = session.0.database().table().inspect(key.map(Key::as_str));
        session.0.return_trip().await;
        Ok(holders)
    }

    async fn end_session(session: &Leased, number: &str) -> Result<bool, Ended> {
        session.0.arrive().await;
        let lives = number.parse().is_ok_and(|id| {
            let mut table = session.0.database().table();
            let lives = table.is_live(id);
            table.end(&[id]);
            lives
        });
        session.0.return_trip().await;
        Ok(lives)
    }

    /// There is nothing to be found.
    async fn check(&self, _options: &SessionOptions) -> Result<Vec<Finding>, Ended> {
        self.is_awake().await;
        Ok(Vec::new())
    }
}
