//! Waiting until the peer has received the one-way messages that were handed over.
//!
//! It must not know which messages those are: the machine does.

use std::future::{Future, poll_fn};
use std::sync::Arc;

use super::shared::SharedSession;
use crate::error::{Error, Result};
use crate::id::CallToken;
use crate::object::message::Reply;
use crate::object::slot::Slot;

/// A request to the machine. Dropping it withdraws the request.
struct Flush {
    session: Arc<SharedSession>,
    token: CallToken,
}

impl SharedSession {
    /// Returns a future that resolves when the peer has received all messages that have been handed over by now; `None` if the
    /// session is over.
    pub(crate) fn flush(&self) -> Option<impl Future<Output = Result<()>> + use<>> {
        let slot = Arc::new(Slot::new(None));
        let flush = self.request_flush(&slot)?;
        Some(async move {
            let reply = poll_fn(|context| slot.poll(context)).await;
            drop(flush);
            match reply {
                Some(Reply::Fault(error)) => Err(error),
                Some(Reply::Value(_) | Reply::Failure(_)) => Ok(()),
                None => Err(Error::Cancelled),
            }
        })
    }

    fn request_flush(&self, slot: &Arc<Slot<Reply>>) -> Option<Flush> {
        let mut inner = self.lock();
        let token = inner.calls.add_waiter(Arc::clone(slot));
        let is_requested = inner.machine.flush(token);
        if !is_requested {
            drop(inner.calls.remove_waiter(token));
        }
        self.finish(inner);
        is_requested.then(|| Flush { session: self.this(), token })
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let token = self.token;
        let waiter = self.session.update(|inner| {
            // Otherwise it is complete, and the token may be another caller's by now.
            let is_pending = inner.machine.cancel_flush(token);
            is_pending.then(|| inner.calls.remove_waiter(token))
        });
        drop(waiter);
    }
}
