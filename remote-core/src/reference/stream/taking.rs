//! The state of an open stream at its receiver: the inbox, the values fetched from it, and the credit.
//!
//! It must not know the public stream.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use serde::de::DeserializeOwned;

use super::batch::Unpacking;
use super::inbox::{Arrival, Arrivals, Intake};
use super::messages::{Inbox, Source};
use super::ongoing::Ongoing;
use super::source::{NOBODY, gone};
use crate::error::Result;
use crate::limits::Bounds;
use crate::mutex::Mutex;
use crate::reference::monitor::Monitor;
use crate::reference::reference::Ref;

/// The bytes of values that may be sent and not yet taken; a single value may be larger.
const WINDOW_BYTES: u64 = 1 << 20;

/// The state of an open stream.
pub(super) struct Taking {
    source: Ref<dyn Source>,
    arrivals: Arc<Arrivals>,
    /// Stopped when no more values are taken, which the source observes.
    inbox: Ref<dyn Inbox>,
    /// The call that opens the source, until it has returned. Never contended: the mutex only makes the future `Sync`, as a
    /// stream is.
    opening: Mutex<Option<Opening>>,
    monitor: Monitor,
    unpacking: Option<Unpacking>,
    /// The values for which there is credit: sent ones that are not yet taken, and those still to be sent.
    outstanding: u64,
    /// The bytes that were taken since credit was issued last.
    taken: u64,
}

type Opening = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

impl Taking {
    /// Opens the source, with credit for this many values.
    pub(super) fn new(source: Ref<dyn Source>, window: u64) -> Taking {
        let arrivals = Arc::<Arrivals>::default();
        arrivals.allow(window, WINDOW_BYTES);
        arrivals.begin(Ongoing::with(source.receiver()));
        let inbox: Ref<dyn Inbox> = Ref::new(Intake(Arc::clone(&arrivals)));
        let monitor = Ref::monitor(&source);
        let opening = {
            let (source, inbox) = (source.clone(), inbox.clone());
            async move { source.open(inbox, window, WINDOW_BYTES).continuing().await }
        };
        let mut taking = Taking {
            source,
            arrivals,
            inbox,
            opening: Mutex::new(Some(Box::pin(opening))),
            monitor,
            unpacking: None,
            outstanding: window,
            taken: 0,
        };
        // Polled here so that the call is sent before any credit.
        taking.poll_opening(&mut Context::from_waker(Waker::noop()));
        taking
    }

    /// Polls for the next value, or the end. Issues credit for the values that were taken, up to the window.
    pub(super) fn poll_next<V: DeserializeOwned + 'static>(
        &mut self,
        bounds: Bounds,
        window: u64,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<V>>> {
        loop {
            if let Some((value, bytes)) =
                self.unpacking.as_mut().and_then(|unpacking| unpacking.next(bounds))
            {
                self.taken += bytes;
                self.outstanding = self.outstanding.saturating_sub(1);
                self.renew(window);
                return Poll::Ready(Some(value));
            }
            self.unpacking = None;
            match self.arrivals.poll_next(context) {
                Poll::Ready(Arrival::Values(unpacking)) => self.unpacking = Some(unpacking),
                Poll::Ready(Arrival::End(failure)) => return Poll::Ready(failure.map(Err)),
                Poll::Pending if self.poll_source(context).is_pending() => return Poll::Pending,
                Poll::Pending => {} // The end of the source was added to `arrivals`, after the values that arrived before.
            }
        }
    }

    /// Issues credit for this many more values, and for the bytes that were taken.
    pub(super) fn issue(&mut self, values: u64) {
        let bytes = std::mem::take(&mut self.taken);
        self.outstanding = self.outstanding.saturating_add(values);
        self.arrivals.allow(values, bytes);
        if let Err(error) = self.source.credit(values, bytes).post() {
            self.arrivals.end(Some(error));
        }
    }

    /// Issues credit for the values that were taken, if it is enough to justify a message.
    fn renew(&mut self, window: u64) {
        let missing = window.saturating_sub(self.outstanding);
        let is_due = missing > 0 && missing >= window.div_ceil(2);
        if is_due || self.taken >= WINDOW_BYTES / 2 {
            self.issue(missing);
        }
    }

    /// Polls for the end of the source. Is ready if it has ended.
    fn poll_source(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_opening(context);
        if let Poll::Ready(ended) = Pin::new(&mut self.monitor).poll(context) {
            self.arrivals.end(Some(gone(ended)));
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Polls the call that opens the source. If it has failed, the stream ends with its error.
    fn poll_opening(&mut self, context: &mut Context<'_>) {
        let opening = self.opening.get_mut();
        if let Some(Poll::Ready(result)) =
            opening.as_mut().map(|opening| opening.as_mut().poll(context))
        {
            *opening = None;
            if let Err(error) = result {
                self.arrivals.end(Some(error));
            }
        }
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        // The inbox is near, so that it can be stopped.
        let _ = Ref::stop(&self.inbox, NOBODY);
        self.arrivals.end(None);
    }
}
