use super::{Model, Refusal};
use std::hash::Hash;

impl<K: Clone + Eq + Hash, E: Clone> Model<K, E> {
    /// Tells those whose time is over.
    pub(super) fn end_waits(&mut self) {
        while let Some((end, request)) = self.deadlines.first().copied()
            && end <= self.now
        {
            let (key, has_it) = (self.requests[&request].key, self.requests[&request].has_it);
            match has_it {
                true => self.refuse_raise(request, Refusal::TimedOut),
                false => {
                    self.refuse(request, Refusal::TimedOut);
                    self.serve(key);
                }
            }
        }
    }
}
