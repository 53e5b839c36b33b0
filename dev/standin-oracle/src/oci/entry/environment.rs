//! The exported functions that make handles, describe them and carry errors.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};

use super::{FAILURE, INVALID_HANDLE, NO_DATA, SUCCESS, boxed, copy, guarded, known, text};
use crate::oci::attribute::{self, Attribute, Given};
use crate::oci::handle::{ENVIRONMENT, Handle, get};
use crate::oci::thread_key::{self, Destructor, Key};

/// The version of the client that is claimed.
const VERSION: [c_int; 5] = [21, 3, 0, 0, 0];

/// The most bytes a character takes in AL32UTF8.
const MAX_BYTES: i32 = 4;

#[unsafe(export_name = "OCIClientVersion")]
unsafe extern "C" fn client_version(
    a: *mut c_int,
    b: *mut c_int,
    c: *mut c_int,
    d: *mut c_int,
    e: *mut c_int,
) {
    for (target, value) in [a, b, c, d, e].into_iter().zip(VERSION) {
        // SAFETY: the client's own integers.
        unsafe { target.write(value) };
    }
}

#[unsafe(export_name = "OCIThreadProcessInit")]
extern "C" fn thread_process_init() {}

#[unsafe(export_name = "OCIThreadKeyInit")]
unsafe extern "C" fn thread_key_init(
    _: *mut Handle,
    _: *mut Handle,
    key: *mut *mut Key,
    destructor: Option<Destructor>,
) -> c_int {
    // SAFETY: the client's variable.
    unsafe { key.write(Box::into_raw(Box::new(Key { destructor }))) };
    SUCCESS
}

#[unsafe(export_name = "OCIThreadKeyGet")]
unsafe extern "C" fn thread_key_get(
    _: *mut Handle,
    _: *mut Handle,
    key: *mut Key,
    value: *mut *mut c_void,
) -> c_int {
    // SAFETY: the client's variable.
    unsafe { value.write(thread_key::get(key)) };
    SUCCESS
}

#[unsafe(export_name = "OCIThreadKeySet")]
unsafe extern "C" fn thread_key_set(
    _: *mut Handle,
    _: *mut Handle,
    key: *mut Key,
    value: *mut c_void,
) -> c_int {
    // SAFETY: a key made above.
    if unsafe { thread_key::set(key, value) } { SUCCESS } else { FAILURE }
}

#[unsafe(export_name = "OCIThreadKeyDestroy")]
unsafe extern "C" fn thread_key_destroy(_: *mut Handle, _: *mut Handle, _: *mut *mut Key) -> c_int {
    // Threads that still run keep values under the key; it goes with the process.
    SUCCESS
}

#[unsafe(export_name = "OCIEnvNlsCreate")]
unsafe extern "C" fn env_nls_create(
    environment: *mut *mut Handle,
    _mode: u32,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
    _: usize,
    _: *mut *mut c_void,
    _charset: u16,
    _ncharset: u16,
) -> c_int {
    // SAFETY: the client's variable.
    unsafe { handle_alloc(std::ptr::null(), environment, ENVIRONMENT, 0, std::ptr::null_mut()) }
}

#[unsafe(export_name = "OCIHandleAlloc")]
unsafe extern "C" fn handle_alloc(
    _parent: *const Handle,
    target: *mut *mut Handle,
    kind: u32,
    _: usize,
    _: *mut *mut c_void,
) -> c_int {
    let Some(handle) = Handle::of_kind(kind) else {
        return INVALID_HANDLE;
    };
    // SAFETY: the client's variable.
    unsafe { target.write(boxed(handle)) };
    SUCCESS
}

#[unsafe(export_name = "OCIHandleFree")]
pub(super) unsafe extern "C" fn handle_free(handle: *mut Handle, _kind: u32) -> c_int {
    if handle.is_null() {
        return INVALID_HANDLE;
    }
    // SAFETY: made by `boxed`, and the client frees it once.
    drop(unsafe { Box::from_raw(handle) });
    SUCCESS
}

#[unsafe(export_name = "OCIDescriptorFree")]
unsafe extern "C" fn descriptor_free(handle: *mut Handle, kind: u32) -> c_int {
    // SAFETY: as above.
    unsafe { handle_free(handle, kind) }
}

#[unsafe(export_name = "OCIErrorGet")]
unsafe extern "C" fn error_get(
    handle: *mut Handle,
    record: u32,
    _state: *mut c_char,
    code: *mut i32,
    buffer: *mut u8,
    size: u32,
    _kind: u32,
) -> c_int {
    // SAFETY: the client's error handle.
    let Some(Handle::Error(cell)) = (unsafe { handle.as_ref() }) else {
        return INVALID_HANDLE;
    };
    let Some(fault) = get(cell).filter(|_| record == 1) else {
        return NO_DATA;
    };
    // SAFETY: the client's variable, and a buffer of `size` bytes.
    unsafe {
        code.write(fault.code);
        copy(&fault.message, buffer, size);
    }
    SUCCESS
}

#[unsafe(export_name = "OCIAttrGet")]
unsafe extern "C" fn attr_get(
    handle: *mut Handle,
    _kind: u32,
    target: *mut c_void,
    size: *mut u32,
    id: u32,
    error: *mut Handle,
) -> c_int {
    // SAFETY: a variable as wide as the attribute is.
    unsafe {
        guarded(error, || {
            store(attribute::read(known(handle)?, id)?, target, size);
            Ok(SUCCESS)
        })
    }
}

/// Writes an attribute into the client's variable, which is as wide as the attribute is.
unsafe fn store(attribute: Attribute, target: *mut c_void, size: *mut u32) {
    // SAFETY: promised by the caller.
    unsafe {
        match attribute {
            Attribute::Byte(value) => target.cast::<u8>().write(value),
            Attribute::Short(value) => target.cast::<u16>().write_unaligned(value),
            Attribute::Word(value) => target.cast::<u32>().write_unaligned(value),
            Attribute::Long(value) => target.cast::<u64>().write_unaligned(value),
            Attribute::Address(value) => target.cast::<usize>().write_unaligned(value),
            Attribute::Text(text, length) => {
                target.cast::<*const u8>().write_unaligned(text);
                if !size.is_null() {
                    size.write(u32::try_from(length).unwrap_or(u32::MAX));
                }
            }
        }
    }
}

#[unsafe(export_name = "OCIAttrSet")]
unsafe extern "C" fn attr_set(
    handle: *mut Handle,
    _kind: u32,
    value: *mut c_void,
    size: u32,
    id: u32,
    error: *mut Handle,
) -> c_int {
    // SAFETY: a value of the kind that the attribute takes.
    unsafe {
        guarded(error, || {
            let handle = known(handle)?;
            let Some(shape) = attribute::shape(handle, id) else {
                return Ok(SUCCESS);
            };
            let given = match shape(value.expose_provenance()) {
                Given::Word(_) => Given::Word(value.cast::<u32>().read_unaligned()),
                Given::Text(_) => Given::Text(text(value.cast(), size)),
                address @ Given::Address(_) => address,
            };
            attribute::write(handle, id, given).map(|()| SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCINlsNumericInfoGet")]
unsafe extern "C" fn nls_numeric_info(
    _: *mut Handle,
    _: *mut Handle,
    value: *mut i32,
    _item: u16,
) -> c_int {
    // SAFETY: the client's variable.
    unsafe { value.write(MAX_BYTES) };
    SUCCESS
}
