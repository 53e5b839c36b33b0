//! The exported functions of numbers.

#![allow(unsafe_code)]

use std::ffi::c_int;

use super::{SUCCESS, guarded};
use crate::fault::Fault;
use crate::number::{SIZE, decode, encode, from_integer, to_integer};
use crate::oci::handle::Handle;

#[unsafe(export_name = "OCINumberFromInt")]
unsafe extern "C" fn number_from_int(
    error: *mut Handle,
    value: *const i64,
    size: u32,
    signed: u32,
    target: *mut [u8; SIZE],
) -> c_int {
    // SAFETY: an integer of eight bytes, and a number.
    unsafe {
        guarded(error, || {
            let value = value.read_unaligned();
            if size != 8 || (signed == 0 && value < 0) {
                return Err(Fault::new(22_053, "overflow error"));
            }
            target.write(encode(from_integer(value)));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCINumberToInt")]
unsafe extern "C" fn number_to_int(
    error: *mut Handle,
    number: *const [u8; SIZE],
    size: u32,
    _signed: u32,
    target: *mut i64,
) -> c_int {
    // SAFETY: a number, and an integer of eight bytes.
    unsafe {
        guarded(error, || {
            let value = to_integer(decode(&number.read_unaligned()));
            let value = value.filter(|_| size == 8);
            target.write_unaligned(value.ok_or_else(|| Fault::new(22_053, "overflow error"))?);
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCINumberFromReal")]
unsafe extern "C" fn number_from_real(
    _error: *mut Handle,
    value: *const f64,
    _size: u32,
    target: *mut [u8; SIZE],
) -> c_int {
    // SAFETY: a double and a number.
    unsafe { target.write(encode(value.read_unaligned())) };
    SUCCESS
}

#[unsafe(export_name = "OCINumberToReal")]
unsafe extern "C" fn number_to_real(
    _error: *mut Handle,
    number: *const [u8; SIZE],
    _size: u32,
    target: *mut f64,
) -> c_int {
    // SAFETY: a number and a double.
    unsafe { target.write_unaligned(decode(&number.read_unaligned())) };
    SUCCESS
}
