//! Another mode for a hold that has a session to itself: the session waits for it in the server's queue.

use super::registry::KeyId;
use super::session::Statement;
use super::{Action, Model, Need, Patience, Refusal, RequestId, SessionId};
use crate::Mode;
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// What is lost, or has no session to itself, is told so by its hold.
    pub(super) fn convert(&mut self, id: RequestId, to: Mode, patience: Patience) {
        let Some(request) = self.requests.get_mut(&id) else {
            return self.tell_converted(id, Err(Refusal::Closed));
        };
        if request.need == Need::Nothing {
            // Its session has other keys to serve meanwhile.
            return self.tell_converted(id, Ok(false));
        }
        request.conversion = Some((to, patience));
        let key = request.key;
        self.send_conversion(key, id);
    }

    fn send_conversion(&mut self, key: KeyId, id: RequestId) {
        let Some(stay) = self.keys[key].stay().filter(|stay| stay.holders == [id]) else { return };
        let (session, from) = (stay.session, stay.mode);
        let Some((to, patience)) = self.requests[&id].conversion else { return };
        let limit = self.settings.ping().min(self.time_left(patience));
        self.sent(session, Statement::Convert(key));
        let key = self.keys[key].key.clone();
        self.actions.push(Action::Convert { session, key, from, to, limit });
    }

    pub(super) fn converted(&mut self, session: SessionId, key: KeyId, answer: Result<bool, E>) {
        let Some(stay) = self.keys[key].stay_mut() else { return };
        let Some(id) = stay.holders.first().copied() else { return };
        let Some((to, patience)) = self.requests[&id].conversion else { return };
        match answer {
            Ok(true) => {
                stay.mode = to;
                self.end_conversion(id, Ok(true));
            }
            Ok(false) if self.is_out_of(patience) => self.end_conversion(id, Ok(false)),
            Ok(false) => self.send_conversion(key, id),
            Err(error) => {
                self.end_conversion(id, Err(Refusal::Failed(error)));
                self.expire(session);
            }
        }
    }

    fn end_conversion(&mut self, id: RequestId, answer: Result<bool, Refusal<E>>) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.conversion = None;
        }
        self.tell_converted(id, answer);
    }

    fn tell_converted(&mut self, request: RequestId, answer: Result<bool, Refusal<E>>) {
        self.actions.push(Action::Converted { request, answer });
    }
}
