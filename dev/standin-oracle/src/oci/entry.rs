//! The exported functions. Each does no more than turn pointers into references.
//!
//! What must hold for the pointers is written in Oracle's manual of the call interface, not here.

#![allow(unsafe_code)]

mod environment;
mod number;
mod pool;
mod session;
mod statement;

use std::ffi::c_int;

use super::handle::{Handle, set, wrong_handle};
use crate::fault::Fault;

const SUCCESS: c_int = 0;
const FAILURE: c_int = -1;
const NO_DATA: c_int = 100;
const INVALID_HANDLE: c_int = -2;

fn boxed(handle: Handle) -> *mut Handle {
    Box::into_raw(Box::new(handle))
}

/// Runs the body of a call; an error goes into the client's error handle.
unsafe fn guarded(error: *mut Handle, body: impl FnOnce() -> Result<c_int, Fault>) -> c_int {
    match body() {
        Ok(status) => status,
        Err(fault) => {
            // SAFETY: the client's error handle.
            if let Some(Handle::Error(cell)) = unsafe { error.as_ref() } {
                set(cell, Some(fault));
            }
            FAILURE
        }
    }
}

unsafe fn known<'a>(handle: *mut Handle) -> Result<&'a Handle, Fault> {
    // SAFETY: handles are made here, and freed only by the client.
    unsafe { handle.as_ref() }.ok_or_else(wrong_handle)
}

unsafe fn bytes<'a>(text: *const u8, length: usize) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: the client's pointer and length.
    unsafe { std::slice::from_raw_parts(text, length) }
}

unsafe fn text(text: *const u8, length: u32) -> String {
    // SAFETY: as above.
    let bytes = unsafe { bytes(text, usize::try_from(length).unwrap_or(0)) };
    String::from_utf8_lossy(bytes).into_owned()
}

/// Copies a text into a buffer of `size` bytes, cut where it does not fit, with a zero at its end.
unsafe fn copy(text: &str, buffer: *mut u8, size: u32) {
    let room = usize::try_from(size).unwrap_or(0);
    if buffer.is_null() || room == 0 {
        return;
    }
    let length = text.len().min(room - 1);
    // SAFETY: the client's buffer.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr(), length);
        buffer.add(length).write(0);
    }
}
