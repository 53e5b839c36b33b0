use crate::locks::check::check;
use crate::locks::holder::holders;
use crate::locks::kill::kill;
use crate::locks::{Server, ServerError, ServerSession};
use crate::{Key, statement};
use dlock_locks::{Finding, Holder, InspectDriver, SessionOptions};
use tiberius::error::Error as Native;

/// "VIEW SERVER STATE permission was denied", and that the user may not do this.
const DENIED: [u32; 3] = [297, 300, 371];

/// What can be known here: the server shows the first 32 characters of a name and a hash of it, so
/// [`Holder::key`] is that beginning where nobody here knows the name, and a key of 32 characters or more is
/// told by asking the server whether it is held. [`Holder::since`] counts from the session's last request.
impl InspectDriver for Server {
    async fn holders(
        session: &ServerSession,
        key: Option<&Key>,
    ) -> Result<Vec<Holder<Key>>, ServerError> {
        let answer = session.ask(statement::HOLDERS, &[]).await;
        let mut found = holders(&answer.map_err(denied)?)?;
        let Some(key) = key else {
            return Ok(found.into_iter().map(|(_, holder)| holder).collect());
        };
        found.retain(|(shown, _)| shown.may_be(key));
        if found.first().is_some_and(|(shown, _)| shown.is_cut()) {
            if session.is_free(key).await? {
                return Ok(Vec::new());
            }
            if found.iter().any(|(shown, _)| shown.hash != found[0].0.hash) {
                return Err(ServerError::Ambiguous);
            }
        }
        Ok(found.into_iter().map(|(_, holder)| holder.map(|_| key.clone())).collect())
    }

    async fn end_session(session: &ServerSession, number: &str) -> Result<bool, ServerError> {
        let Ok(number) = number.parse() else { return Ok(false) };
        kill(&mut *session.client().await, number).await
    }

    async fn check(&self, options: &SessionOptions) -> Result<Vec<Finding>, ServerError> {
        check(self, &options.name).await
    }
}

pub(crate) fn denied(error: Native) -> ServerError {
    match error.code() {
        Some(code) if DENIED.contains(&code) => ServerError::Hidden(error),
        _ => ServerError::Native(error),
    }
}
