//! Near calls that are nested so deep that the stack could overflow: they run in a task, in the order in which they were made.
//!
//! It must not know calls. A near call is polled within the poll of the method that makes it, so that each level needs stack.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::depth::{depth, round};
use super::message::{Reply, Running};
use super::promise::execute;
use crate::error::Error;
use crate::mutex::Mutex;

/// The number of levels that are polled within each other.
const MAX_DEPTH: u32 = 32;

thread_local! {
    /// The calls that were too deep, in the round in which they were made.
    static BATCH: RefCell<Option<(u64, Arc<Batch>)>> = const { RefCell::new(None) };
}

/// Calls that one task starts in order; `None` when it has started all.
struct Batch(Mutex<Option<VecDeque<Deep>>>);

/// A call, and the sender of its reply.
type Deep = (Running, oneshot::Sender<Reply>);

/// Returns the execution of a near call, which runs in a task if it is nested too deep.
#[inline]
pub(crate) fn bounded(running: Running) -> Running {
    if depth() < MAX_DEPTH { running } else { in_task(running) }
}

fn in_task(running: Running) -> Running {
    if Handle::try_current().is_err() {
        return Running::ready(Reply::Fault(Error::Quota(format!(
            "{MAX_DEPTH} near calls within each other outside of a tokio runtime"
        ))));
    }
    let (sender, reply) = oneshot::channel();
    let mut deep = Some((running, sender));
    BATCH.with_borrow_mut(|batch| {
        if let Some((made, batch)) = batch
            && *made == round()
            && let Some(calls) = &mut *batch.0.lock()
        {
            calls.extend(deep.take());
        }
        if let Some(deep) = deep.take() {
            let next = Arc::new(Batch(Mutex::new(Some(VecDeque::from([deep])))));
            tokio::spawn(start_all(Arc::clone(&next)));
            *batch = Some((round(), next));
        }
    });
    let reply = async { reply.await.unwrap_or(Reply::Fault(Error::Cancelled)) };
    Running::new(Box::pin(reply), None)
}

async fn start_all(batch: Arc<Batch>) {
    loop {
        let mut calls = batch.0.lock();
        let Some((running, reply)) = calls.as_mut().and_then(VecDeque::pop_front) else {
            *calls = None;
            return;
        };
        drop(calls);
        // Otherwise it was cancelled before it began.
        if !reply.is_closed() {
            execute(running, reply);
        }
    }
}
