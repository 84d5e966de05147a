//! Chains of promises: a promise that resolves to another one, or that failed because another one did.
//!
//! It must not know how promises send messages. A chain can be longer than the stack is deep, so that it is followed and
//! dropped in a loop.

use std::sync::{Arc, MutexGuard, Weak};

use super::message::{Failure, Location, Receiver, Reply, Resolution};
use crate::error::{Error, Result};
use crate::mutex::Mutex;
use crate::wire::method::Method;

impl Failure {
    pub(super) fn new(method: &'static Method, reply: Reply, on: &Weak<dyn Receiver>) -> Failure {
        let is_consequence = matches!(reply, Reply::Fault(Error::Broken(_)));
        Failure { method, reply, on: is_consequence.then(|| on.upgrade()).flatten() }
    }
}

/// Returns the failure that was the first in a chain of pipelined calls.
pub(crate) fn first_failure(receiver: &dyn Receiver) -> Option<Failure> {
    let mut failure = receiver.failure()?;
    while let Some(earlier) = failure.on.take().and_then(|on| on.failure()) {
        failure = earlier;
    }
    Some(failure)
}

/// Returns the object to which the call of a promise has resolved, or its error.
pub(super) fn outcome(reply: &Reply) -> Result<Arc<dyn Receiver>> {
    match reply {
        Reply::Value(payload) => match payload.references.as_slice() {
            [reference] => Ok(Arc::clone(&reference.receiver)),
            _ => Err(Error::Decode("the answer to a promise is not one reference".into())),
        },
        // The error type is known to callers only; see `Message::decode`.
        Reply::Failure(_) => {
            Err(Error::Broken(Box::new(Error::Decode("the method returned an error".into()))))
        }
        Reply::Fault(error) => Err(error.clone()),
    }
}

/// Waits until a promise is resolved, and all promises that it resolves to. Returns the object.
pub(crate) async fn resolved(mut receiver: Arc<dyn Receiver>) -> Result<Arc<dyn Receiver>> {
    loop {
        receiver = receiver.resolved().await?;
        if !is_promise(&receiver) {
            return Ok(receiver);
        }
    }
}

/// Returns the receiver at the end of a chain of resolved promises, to which messages can be sent now.
pub(super) fn end_of_chain(mut receiver: Arc<dyn Receiver>) -> Arc<dyn Receiver> {
    while let Some(Resolution { target, is_complete: true }) = receiver.resolution() {
        receiver = target;
    }
    receiver
}

/// Returns true if messages to the receiver would come back to the promise, now or when all messages that wait are sent.
pub(super) fn leads_to(receiver: &Arc<dyn Receiver>, promise: &dyn Receiver) -> bool {
    let mut receiver = Arc::clone(receiver);
    loop {
        if std::ptr::addr_eq(Arc::as_ptr(&receiver), promise) {
            return true;
        }
        let Some(resolution) = receiver.resolution() else { return false };
        receiver = resolution.target;
    }
}

/// Locks the resolution of promises to other promises, so that no two of them resolve to each other. Returns `None` for a target
/// that is no promise.
pub(super) fn lock_chains(target: &Arc<dyn Receiver>) -> Option<MutexGuard<'static, ()>> {
    static CHAINS: Mutex<()> = Mutex::new(());
    is_promise(target).then(|| CHAINS.lock())
}

fn is_promise(receiver: &Arc<dyn Receiver>) -> bool {
    matches!(receiver.location(), Location::Promise { .. })
}

/// Returns the error of a promise that would resolve to itself.
pub(super) fn circular() -> Error {
    Error::Refused("a promise resolves to itself; return another object".into())
}

/// Drops a chain of promises from its first one on.
pub(super) fn drop_chain(mut first: Option<Arc<dyn Receiver>>) {
    while let Some(mut receiver) = first {
        // Promises that somebody else refers to are not dropped here.
        first = Arc::get_mut(&mut receiver).and_then(|receiver| receiver.take_resolution());
    }
}
