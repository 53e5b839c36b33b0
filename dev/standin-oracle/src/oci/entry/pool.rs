//! The exported functions of a session pool.

#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::{log_off, log_on};
use super::{SUCCESS, boxed, guarded, known, text};
use crate::fault::Fault;
use crate::oci::handle::{Credentials, Handle, Pool, Server, Service, get, set, wrong_handle};
use crate::server::Database;

/// The pools by their names, which the client gives to get a session.
static POOLS: Mutex<BTreeMap<String, Arc<Pool>>> = Mutex::new(BTreeMap::new());
static LAST: AtomicUsize = AtomicUsize::new(0);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The session is not for the pool any more.
const DROPS: u32 = 1;

#[unsafe(export_name = "OCISessionPoolCreate")]
unsafe extern "C" fn pool_create(
    _: *mut Handle,
    error: *mut Handle,
    pool: *mut Handle,
    name: *mut *const u8,
    name_length: *mut u32,
    database: *const u8,
    database_length: u32,
    _least: u32,
    _most: u32,
    _increment: u32,
    user: *const u8,
    user_length: u32,
    password: *const u8,
    password_length: u32,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's handle, texts and variables.
    unsafe {
        guarded(error, || {
            let Handle::Pool(place) = known(pool)? else {
                return Err(wrong_handle());
            };
            let made = Arc::new(Pool {
                name: format!("pool {}", LAST.fetch_add(1, Ordering::SeqCst)),
                database: text(database, database_length),
                user: text(user, user_length).to_uppercase(),
                password: text(password, password_length),
                idle: Mutex::default(),
            });
            name.write(made.name.as_ptr());
            name_length.write(u32::try_from(made.name.len()).unwrap_or(0));
            lock(&POOLS).insert(made.name.clone(), Arc::clone(&made));
            set(place, Some(made));
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCISessionPoolDestroy")]
unsafe extern "C" fn pool_destroy(pool: *mut Handle, error: *mut Handle, _mode: u32) -> c_int {
    // SAFETY: the client's handle.
    unsafe {
        guarded(error, || {
            let Handle::Pool(place) = known(pool)? else {
                return Err(wrong_handle());
            };
            if let Some(pool) = get(place) {
                lock(&POOLS).remove(&pool.name);
                for service in get(&pool.idle) {
                    drop(log_off(service_at(service)?));
                }
            }
            Ok(SUCCESS)
        })
    }
}

fn service_at<'a>(address: usize) -> Result<&'a Service, Fault> {
    // SAFETY: made by `OCISessionGet`, and never freed: a session is the pool's.
    match unsafe { known(ptr::with_exposed_provenance_mut(address)) }? {
        Handle::Service(service) => Ok(service),
        _ => Err(wrong_handle()),
    }
}

#[unsafe(export_name = "OCISessionGet")]
unsafe extern "C" fn session_get(
    _: *mut Handle,
    error: *mut Handle,
    target: *mut *mut Handle,
    _: *mut Handle,
    name: *const u8,
    name_length: u32,
    _tag: *const c_char,
    _tag_length: u32,
    _found_tag: *mut *const c_char,
    _found_tag_length: *mut u32,
    found: *mut c_int,
    _mode: u32,
) -> c_int {
    // SAFETY: the client's text and variables.
    unsafe {
        guarded(error, || {
            let pool = lock(&POOLS).get(&text(name, name_length)).cloned();
            let pool = pool.ok_or_else(|| Fault::new(24_422, "no such pool"))?;
            let idle = lock(&pool.idle).pop();
            let service = idle.map_or_else(|| open(&pool), Ok)?;
            target.write(ptr::with_exposed_provenance_mut(service));
            if !found.is_null() {
                found.write(0);
            }
            Ok(SUCCESS)
        })
    }
}

/// A new session, as the address of its service context.
fn open(pool: &Arc<Pool>) -> Result<usize, Fault> {
    let (service, server) = (Service::default(), Server::default());
    let session = Credentials::default();
    set(&server.database, Some(Database::named(&pool.database)));
    set(&session.user, pool.user.clone());
    set(&session.password, pool.password.clone());
    log_on(&service, &server, &session)?;
    set(&service.pool, Some(Arc::clone(pool)));
    set(&service.server, boxed(Handle::Server(server)).expose_provenance());
    set(&service.session, boxed(Handle::Session(session)).expose_provenance());
    Ok(boxed(Handle::Service(service)).expose_provenance())
}

#[unsafe(export_name = "OCISessionRelease")]
unsafe extern "C" fn session_release(
    service: *mut Handle,
    error: *mut Handle,
    _tag: *const c_char,
    _tag_length: u32,
    mode: u32,
) -> c_int {
    // SAFETY: the client's handle.
    unsafe {
        guarded(error, || {
            let address = service.expose_provenance();
            let service = service_at(address)?;
            if mode & DROPS != 0 {
                return log_off(service).map(|()| SUCCESS);
            }
            if let Some(pool) = get(&service.pool) {
                lock(&pool.idle).push(address);
            }
            Ok(SUCCESS)
        })
    }
}

#[unsafe(export_name = "OCIContextGetValue")]
unsafe extern "C" fn context_get(
    _: *mut Handle,
    _: *mut Handle,
    _: *const c_char,
    _: u8,
    value: *mut *mut c_void,
) -> c_int {
    // SAFETY: the client's variable. What it keeps there is when a session was used last: never.
    unsafe { value.write(ptr::null_mut()) };
    SUCCESS
}

#[unsafe(export_name = "OCIContextSetValue")]
extern "C" fn context_set(
    _: *mut Handle,
    _: *mut Handle,
    _: u16,
    _: *const c_char,
    _: u8,
    _: *mut c_void,
) -> c_int {
    SUCCESS
}

#[unsafe(export_name = "OCIMemoryAlloc")]
unsafe extern "C" fn memory_alloc(
    _: *mut Handle,
    _: *mut Handle,
    target: *mut *mut c_void,
    _: u16,
    size: u32,
    _: u32,
) -> c_int {
    let memory = vec![0_u64; usize::try_from(size).unwrap_or(0).div_ceil(8)];
    // SAFETY: the client's variable. The memory is the session's, and a few bytes.
    unsafe { target.write(memory.leak().as_mut_ptr().cast()) };
    SUCCESS
}

#[unsafe(export_name = "OCIMemoryFree")]
extern "C" fn memory_free(_: *mut Handle, _: *mut Handle, _: *mut c_void) -> c_int {
    SUCCESS
}
