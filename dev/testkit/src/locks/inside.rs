use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Who is inside critical sections: seen by all processes, since they are in this one.
#[derive(Clone, Debug)]
pub(super) struct Inside(Arc<Vec<AtomicUsize>>);

/// What one who shares counts as. One who does not counts as all.
const ALL: usize = 1 << 20;

impl Inside {
    /// As many empty sections.
    pub(super) fn new(sections: usize) -> Self {
        Self(Arc::new((0..sections).map(|_| AtomicUsize::new(0)).collect()))
    }

    /// Alone until it is dropped.
    pub(super) fn alone(&self, section: usize) -> Stay<'_> {
        let others = self.0[section].fetch_add(ALL, Ordering::SeqCst);
        assert_eq!(others, 0, "section {section} is not empty");
        Stay { section: &self.0[section], weight: ALL }
    }

    /// With others who share.
    pub(super) fn shared(&self, section: usize) -> Stay<'_> {
        let others = self.0[section].fetch_add(1, Ordering::SeqCst);
        assert!(others < ALL, "somebody is alone in section {section}");
        Stay { section: &self.0[section], weight: 1 }
    }
}

/// A stay in a section.
#[derive(Debug)]
pub(super) struct Stay<'a> {
    section: &'a AtomicUsize,
    weight: usize,
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.section.fetch_sub(self.weight, Ordering::SeqCst);
    }
}
