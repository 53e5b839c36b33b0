//! The exported functions of a connection.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::sync::Arc;

use super::{SUCCESS, copy, guarded, known, text};
use crate::fault::Fault;
use crate::oci::handle::{Credentials, Handle, Server, Service, get, set, wrong_handle};
use crate::server::{Connection, Database};

/// The version of the server that is claimed, packed.
const SERVER_VERSION: u32 = (21 << 24) | (3 << 16);
const BANNER: &str = "Oracle stand-in: a DBMS_LOCK simulator";

/// The password that is always wrong.
const WRONG_PASSWORD: &str = "wrong";

#[unsafe(export_name = "OCIServerAttach")]
unsafe extern "C" fn server_attach(
    server: *mut Handle,
    error: *mut Handle,
    name: *const u8,
    length: i32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handle and text.
    unsafe {
        guarded(error, || {
            let Handle::Server(server) = known(server)? else {
                return Err(wrong_handle());
            };
            let name = text(name, u32::try_from(length).unwrap_or(0));
            set(&server.database, Some(Database::named(&name)));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIServerDetach")]
unsafe extern "C" fn server_detach(server: *mut Handle, error: *mut Handle, _mode: u32) -> c_int {
    // SAFETY: the client's handle.
    unsafe {
        guarded(error, || {
            if let Handle::Server(server) = known(server)? {
                set(&server.connection, None);
            }
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCISessionBegin")]
unsafe extern "C" fn session_begin(
    service: *mut Handle,
    error: *mut Handle,
    session: *mut Handle,
    _credentials: u32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handles; the server's address was set as an attribute.
    unsafe {
        guarded(error, || {
            let (Handle::Service(service), Handle::Session(session)) =
                (known(service)?, known(session)?)
            else {
                return Err(wrong_handle());
            };
            let server = std::ptr::with_exposed_provenance_mut(get(&service.server));
            let Handle::Server(server) = known(server)? else {
                return Err(wrong_handle());
            };
            log_on(service, server, session).map(|()| SUCCESS)
        })
    }
}

pub(super) fn log_on(
    service: &Service,
    server: &Server,
    session: &Credentials,
) -> Result<(), Fault> {
    let database = get(&server.database).ok_or_else(Fault::not_connected)?;
    if get(&session.password) == WRONG_PASSWORD {
        return Err(Fault::new(1017, "invalid username/password; logon denied"));
    }
    let connection = Arc::new(Connection::open(&database, &get(&session.user)));
    set(&server.connection, Some(Arc::clone(&connection)));
    set(&service.connection, Some(connection));
    Ok(())
}

#[unsafe(export_name = "OCISessionEnd")]
unsafe extern "C" fn session_end(
    service: *mut Handle,
    error: *mut Handle,
    _: *mut Handle,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handles.
    unsafe {
        guarded(error, || {
            let Handle::Service(service) = known(service)? else {
                return Err(wrong_handle());
            };
            log_off(service).map(|()| SUCCESS)
        })
    }
}

/// A round trip, which waits for the calls before it. A break that met none of those ends it.
pub(super) fn log_off(service: &Service) -> Result<(), Fault> {
    if let Some(connection) = get(&service.connection) {
        connection.log_off()?;
    }
    set(&service.connection, None);
    Ok(())
}

#[unsafe(export_name = "OCIServerRelease2")]
unsafe extern "C" fn server_release(
    _: *mut Handle,
    _: *mut Handle,
    buffer: *mut u8,
    size: u32,
    _: u8,
    version: *mut u32,
    _: u32,
) -> c_int {
    // SAFETY: the client's variable, and a buffer of `size` bytes or none.
    unsafe {
        version.write(SERVER_VERSION);
        copy(BANNER, buffer, size);
    }
    SUCCESS
}

unsafe fn round_trip(service: *mut Handle, error: *mut Handle, ends_transaction: bool) -> c_int {
    // SAFETY: the client's handles.
    unsafe {
        guarded(error, || {
            known(service)?.connection()?.call(|call| {
                if ends_transaction {
                    call.end_transaction();
                }
                Ok(SUCCESS)
            })
        })
    }
}

#[unsafe(export_name = "OCIPing")]
unsafe extern "C" fn ping(service: *mut Handle, error: *mut Handle, _mode: u32) -> c_int {
    // SAFETY: the client's handles.
    unsafe { round_trip(service, error, false) }
}

#[unsafe(export_name = "OCITransCommit")]
unsafe extern "C" fn commit(service: *mut Handle, error: *mut Handle, _flags: u32) -> c_int {
    // SAFETY: the client's handles.
    unsafe { round_trip(service, error, true) }
}

#[unsafe(export_name = "OCITransRollback")]
unsafe extern "C" fn rollback(service: *mut Handle, error: *mut Handle, _flags: u32) -> c_int {
    // SAFETY: the client's handles.
    unsafe { round_trip(service, error, true) }
}

#[unsafe(export_name = "OCIBreak")]
unsafe extern "C" fn send_break(service: *mut Handle, error: *mut Handle) -> c_int {
    // SAFETY: the client's handles.
    unsafe {
        guarded(error, || {
            known(service)?.connection()?.send_break();
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIReset")]
unsafe extern "C" fn reset(_: *mut Handle, _: *mut Handle) -> c_int {
    SUCCESS
}
