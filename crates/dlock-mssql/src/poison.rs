use crate::{HasClient, Stream};
use futures::FutureExt;
use std::borrow::BorrowMut;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::{Context, Poll};
use std::thread;
use tiberius::Client;
use tiberius::error::Error as Native;
use tokio::runtime::Builder;
use tokio::task::coop;

/// Drops a client that must not be used again: an owned one is closed by that, and whoever has one next
/// that was lent or came from a pool gets an error.
pub(crate) fn discard<S: HasClient, P: BorrowMut<S>>(mut place: P) {
    if !poison(place.borrow_mut().client()) && S::GIVEN_BACK {
        mem::forget(place);
    }
}

/// Has every later use of a client fail, and says whether it does.
///
/// `tiberius` refuses a connection on which the write of a request was cut off. So one is cut off here:
/// a stream of tokio's writes nothing for a task that has used up its budget. The budget is that of a
/// runtime on a thread of its own, for this is called in drops, anywhere.
fn poison<T: Stream>(client: &mut Client<T>) -> bool {
    thread::scope(|scope| {
        let cut_off = || {
            let runtime = Builder::new_current_thread().build();
            let cut_off = poll_fn(|context| cut_write_off(client, context));
            runtime.map(|runtime| runtime.block_on(cut_off))
        };
        let thread = thread::Builder::new().spawn_scoped(scope, cut_off);
        thread.is_ok_and(|thread| thread.join().is_ok())
    });
    matches!(client.simple_query("").now_or_never(), Some(Err(Native::Protocol(_))))
}

fn cut_write_off<T: Stream>(client: &mut Client<T>, context: &mut Context<'_>) -> Poll<()> {
    while coop::has_budget_remaining() {
        if let Poll::Ready(proceed) = coop::poll_proceed(context) {
            proceed.made_progress();
        }
    }
    drop(pin!(client.cancel_query()).poll(context));
    Poll::Ready(())
}
