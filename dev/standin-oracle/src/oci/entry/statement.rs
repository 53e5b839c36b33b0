//! The exported functions of a statement.

#![allow(unsafe_code)]

use std::ffi::{c_char, c_int, c_void};
use std::sync::Arc;

use super::environment::handle_free;
use super::{NO_DATA, SUCCESS, boxed, guarded, known, text};
use crate::fault::Fault;
use crate::oci::bind::{Bind, Define};
use crate::oci::handle::{Handle, STATEMENT, get, set};
use crate::oci::memory::Memory;
use crate::oci::statement::Statement;

#[unsafe(export_name = "OCIStmtPrepare2")]
unsafe extern "C" fn statement_prepare(
    service: *mut Handle,
    target: *mut *mut Handle,
    error: *mut Handle,
    sql: *const u8,
    length: u32,
    _key: *const c_char,
    _key_length: u32,
    _language: u32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handles and text.
    unsafe {
        guarded(error, || {
            let connection = known(service)?.connection()?;
            let statement = Statement::prepare(connection, &text(sql, length));
            target.write(boxed(Handle::Statement(Box::new(statement))));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIStmtRelease")]
unsafe extern "C" fn statement_release(
    statement: *mut Handle,
    _error: *mut Handle,
    _key: *const c_char,
    _key_length: u32,
    _mode: u32,
) -> c_int {
    // SAFETY: made by `OCIStmtPrepare2`, and released once.
    unsafe { handle_free(statement, STATEMENT) }
}

#[unsafe(export_name = "OCIBindByPos2")]
unsafe extern "C" fn bind_by_position(
    handle: *mut Handle,
    bind_handle: *mut *mut Handle,
    error: *mut Handle,
    position: u32,
    value: *mut u8,
    size: usize,
    external: u16,
    indicator: *mut i16,
    length: *mut u32,
    codes: *mut u16,
    _elements: u32,
    _element_count: *mut u32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's buffers, good until the statement is released.
    unsafe {
        guarded(error, || {
            let memory = Memory::new(value, size, indicator, length, codes);
            let statement = known(handle)?.statement()?;
            statement.bind_position(index(position), Bind { external, memory })?;
            bind_handle.write(handle);
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIBindByName2")]
unsafe extern "C" fn bind_by_name(
    handle: *mut Handle,
    bind_handle: *mut *mut Handle,
    error: *mut Handle,
    name: *const u8,
    name_length: u32,
    value: *mut u8,
    size: usize,
    external: u16,
    indicator: *mut i16,
    length: *mut u32,
    codes: *mut u16,
    _elements: u32,
    _element_count: *mut u32,
    _mode: u32,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        guarded(error, || {
            let memory = Memory::new(value, size, indicator, length, codes);
            let bind = Bind { external, memory };
            known(handle)?.statement()?.bind_name(&text(name, name_length), bind)?;
            bind_handle.write(handle);
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIDefineByPos2")]
unsafe extern "C" fn define_by_position(
    handle: *mut Handle,
    define_handle: *mut *mut Handle,
    error: *mut Handle,
    position: u32,
    value: *mut u8,
    size: usize,
    external: u16,
    indicator: *mut i16,
    length: *mut u32,
    codes: *mut u16,
    _mode: u32,
) -> c_int {
    // SAFETY: as above.
    unsafe {
        guarded(error, || {
            let memory = Memory::new(value, size, indicator, length, codes);
            let bind = Bind { external, memory };
            known(handle)?.statement()?.define(Define { position: index(position), bind });
            define_handle.write(handle);
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIStmtExecute")]
unsafe extern "C" fn statement_execute(
    _service: *mut Handle,
    handle: *mut Handle,
    error: *mut Handle,
    _iterations: u32,
    _offset: u32,
    _: *const c_void,
    _: *mut c_void,
    mode: u32,
) -> c_int {
    // SAFETY: the client's handles.
    unsafe { guarded(error, || known(handle)?.statement()?.execute(mode).map(|()| SUCCESS)) }
}

#[unsafe(export_name = "OCIStmtFetch2")]
unsafe extern "C" fn statement_fetch(
    handle: *mut Handle,
    error: *mut Handle,
    rows: u32,
    _orientation: u16,
    _offset: i32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handles.
    unsafe {
        guarded(error, || {
            let more = known(handle)?.statement()?.fetch(index(rows))?;
            if more {
                return Ok(SUCCESS);
            }
            if let Some(Handle::Error(cell)) = error.as_ref() {
                set(cell, Some(Fault::new(1403, "no data found")));
            }
            Ok(NO_DATA)
        })
    }
}

#[unsafe(export_name = "OCIParamGet")]
unsafe extern "C" fn parameter_get(
    handle: *mut Handle,
    _kind: u32,
    error: *mut Handle,
    target: *mut *mut Handle,
    position: u32,
) -> c_int {
    // SAFETY: the client's handles.
    unsafe {
        guarded(error, || {
            let columns = get(&known(handle)?.statement()?.columns);
            let index = index(position).checked_sub(1);
            let column = index.and_then(|index| columns.get(index));
            let column =
                column.ok_or_else(|| Fault::new(24_334, "no descriptor for this position"))?;
            target.write(boxed(Handle::Parameter(Arc::clone(column))));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIStmtGetBindInfo")]
unsafe extern "C" fn bind_info(
    handle: *mut Handle,
    error: *mut Handle,
    size: u32,
    start: u32,
    found: *mut i32,
    names: *mut *const u8,
    lengths: *mut u8,
    indicators: *mut *const u8,
    indicator_lengths: *mut u8,
    duplicates: *mut u8,
    _handles: *mut *mut Handle,
) -> c_int {
    // SAFETY: arrays of `size` elements each.
    unsafe {
        guarded(error, || {
            let all = &known(handle)?.statement()?.names;
            let (first, count) = (index(start).saturating_sub(1), index(size));
            for (slot, name) in all.iter().skip(first).take(count).enumerate() {
                names.add(slot).write(name.as_ptr());
                lengths.add(slot).write(u8::try_from(name.len()).unwrap_or(u8::MAX));
                indicators.add(slot).write(std::ptr::null());
                indicator_lengths.add(slot).write(0);
                duplicates.add(slot).write(u8::from(all[..first + slot].contains(name)));
            }
            found.write(total(all.len(), first + count));
            Ok(if first < all.len() { SUCCESS } else { NO_DATA })
        })
    }
}

/// How many there are; negative while some are still to be asked for.
fn total(all: usize, told: usize) -> i32 {
    let total = i32::try_from(all).unwrap_or(i32::MAX);
    if all > told { -total } else { total }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
