//! Starts the command, by way of this program's own last stage.

use crate::launch;
use crate::terms::Terms;
use rustix::process::Pid;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The command's process, in a group of its own unless it is to be in the foreground.
pub(super) fn launch(terms: &Terms, command: impl Iterator<Item = OsString>) -> io::Result<Pid> {
    let mut stage = Command::new(crate::program());
    stage.arg0("dlock").args(launch::arguments(terms.foreground)).args(command);
    if terms.foreground.is_none() {
        stage.process_group(0);
    }
    let child = stage.spawn()?;
    Pid::from_raw(child.id().cast_signed()).ok_or_else(|| io::Error::from(io::ErrorKind::Other))
}
