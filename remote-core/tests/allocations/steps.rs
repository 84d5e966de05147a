//! Driving runtimes step by step on one thread, so that the work of two nodes is distinguished.
//!
//! It must not know what is counted. The benchmark's instruction counts use it, too.

use std::future::{Future, poll_fn};
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};

/// The polls of a runtime in one step. Each runs the tasks that are ready and polls the sockets, so that one step
/// covers a message from its arrival at the socket to the answer.
const TURNS: u32 = 4;

/// Builds a runtime without threads of its own.
pub(crate) fn single_threaded() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime can be built")
}

/// Runs the tasks that are ready on a runtime, and those that they make ready. It does not allocate.
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

/// Polls a future on a runtime once, and runs the tasks that are ready there. Returns the output, if the future is
/// ready.
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

/// Drives a future on one runtime step by step, and another runtime between the steps.
pub(crate) fn alternate<F: Future>(on: &Runtime, other: &Runtime, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let Some(output) = advance(on, &mut future) {
            return output;
        }
        step(other);
    }
}
