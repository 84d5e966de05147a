//! Owns how runtimes are driven by hand, in steps on one thread, so that what two nodes do can be told apart. It must not
//! know what is counted. The benchmark's counts of instructions use it, too.

use std::future::{Future, poll_fn};
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};

/// Turns of a runtime in one step. In each it runs what is ready and looks at its sockets, so that a step takes what has
/// arrived from the socket to the answer on it.
const TURNS: u32 = 4;

/// Builds a runtime without threads of its own.
pub(crate) fn single_threaded() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

/// Runs what is ready on a runtime, then what became ready by that. Allocates nothing itself.
pub(crate) fn step(runtime: &Runtime) {
    let mut left = TURNS;
    runtime.block_on(poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }));
}

/// Polls a future on a runtime once, and runs what is ready there; the output, if there is one.
pub(crate) fn advance<F: Future + Unpin>(runtime: &Runtime, future: &mut F) -> Option<F::Output> {
    let mut future = std::pin::Pin::new(future);
    let polled = runtime.block_on(poll_fn(|context| Poll::Ready(future.as_mut().poll(context))));
    match polled {
        Poll::Ready(output) => Some(output),
        Poll::Pending => {
            step(runtime);
            None
        }
    }
}

/// Drives a future on one runtime in steps, and another runtime between them.
pub(crate) fn alternate<F: Future>(on: &Runtime, other: &Runtime, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Some(output) = advance(on, &mut future) {
            return output;
        }
        step(other);
    }
}
