//! Values that belong to a thread, under keys that the client makes.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::c_void;

/// What the client wants called with a value when its thread ends.
pub(super) type Destructor = unsafe extern "C" fn(*mut c_void);

/// A key: only its address counts.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) destructor: Option<Destructor>,
}

#[derive(Default)]
struct Values(BTreeMap<usize, (usize, Option<Destructor>)>);

impl Drop for Values {
    fn drop(&mut self) {
        for (value, destructor) in self.0.values() {
            if let (Some(destructor), true) = (destructor, *value != 0) {
                // SAFETY: the client gave both, for this very purpose.
                unsafe { destructor(std::ptr::with_exposed_provenance_mut(*value)) };
            }
        }
    }
}

thread_local! {
    static VALUES: RefCell<Values> = RefCell::default();
}

/// The value of this thread; null when none was set, or when the thread is about to end.
pub(super) fn get(key: *const Key) -> *mut c_void {
    let found = VALUES.try_with(|values| values.borrow().0.get(&key.addr()).map(|value| value.0));
    let address = found.ok().flatten().unwrap_or(0);
    std::ptr::with_exposed_provenance_mut(address)
}

/// # Safety
/// `key` was made by `OCIThreadKeyInit` and not destroyed since.
pub(super) unsafe fn set(key: *const Key, value: *mut c_void) -> bool {
    // SAFETY: promised by the caller.
    let destructor = unsafe { key.as_ref() }.and_then(|key| key.destructor);
    let value = value.expose_provenance();
    VALUES.try_with(|values| values.borrow_mut().0.insert(key.addr(), (value, destructor))).is_ok()
}
