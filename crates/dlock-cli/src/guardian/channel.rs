//! What a guardian hears and says.

use crate::control::{Order, Report};
use crate::signals;
use crate::sockets::MOST;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use signal_hook::low_level::pipe;
use std::io::{self, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The sockets to `dlock`, and the signals.
pub(super) struct Channel {
    dlock: UnixStream,
    is_open: bool,
    /// Readable when a child has ended.
    child: UnixStream,
    /// Readable when this process was asked to end.
    asked: UnixStream,
    /// The connections to the server: it frees the key once they are closed, here and in `dlock`.
    _kept: Vec<OwnedFd>,
}

impl Channel {
    /// Standard input is the socket at first; what the command is to read comes by it.
    pub(super) fn open() -> io::Result<Self> {
        let dlock = io::stdin().as_fd().try_clone_to_owned()?;
        let (stdin, kept) = receive(&dlock)?;
        rustix::stdio::dup2_stdin(stdin)?;
        let (child, asked) = (piped(&[signal_hook::consts::SIGCHLD])?, piped(&signals::heeded())?);
        Ok(Self { dlock: dlock.into(), is_open: true, child, asked, _kept: kept })
    }

    /// Nobody may be there to hear it.
    pub(super) fn report(&self, report: Report) {
        let _ = report.write(&self.dlock);
    }

    /// Waits until something happens, and returns what there is to do.
    pub(super) fn wait(&mut self, limit: Duration) -> Vec<Order> {
        let [said, child, asked] = self.ready(limit);
        let mut orders = Vec::new();
        if child {
            drain(&self.child);
        }
        if asked {
            drain(&self.asked);
            orders.push(Order::End);
        }
        if said {
            orders.push(self.hear());
        }
        orders
    }

    /// The end of `dlock` is an order, too.
    fn hear(&mut self) -> Order {
        let order = Order::read(&self.dlock);
        self.is_open = order.is_some();
        order.unwrap_or(Order::End)
    }

    fn ready(&self, limit: Duration) -> [bool; 3] {
        let wanted = if self.is_open { PollFlags::IN } else { PollFlags::empty() };
        let mut descriptors = [
            PollFd::new(&self.child, PollFlags::IN),
            PollFd::new(&self.asked, PollFlags::IN),
            PollFd::new(&self.dlock, wanted),
        ];
        // One that is closed is ready at all times.
        let watched = if self.is_open { &mut descriptors[..] } else { &mut descriptors[..2] };
        let limit = Timespec::try_from(limit).ok();
        if poll(watched, limit.as_ref()).is_err() {
            return [false; 3];
        }
        let [child, asked, dlock] = descriptors.map(|it| !it.revents().is_empty());
        [dlock, child, asked]
    }
}

/// A stream that is readable once one of these signals has come.
fn piped(signals: &[i32]) -> io::Result<UnixStream> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    theirs.set_nonblocking(true)?;
    for signal in signals {
        pipe::register(*signal, theirs.try_clone()?)?;
    }
    // Without a writer it would be readable for ever.
    std::mem::forget(theirs);
    Ok(ours)
}

fn drain(mut stream: &UnixStream) {
    while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
}

/// The descriptor that was sent first, and the others.
fn receive(from: &OwnedFd) -> io::Result<(OwnedFd, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST + 1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(from, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut files = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let mut files = files.next().into_iter().flatten();
    let first = files.next().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok((first, files.collect()))
}
