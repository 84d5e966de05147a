//! The quota of sockets of a node, and the operation that closes all of them.
//!
//! It must not know what a socket does.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::error::{Error, Result};

/// The quota of sockets of a node.
#[derive(Clone)]
pub(super) struct Quota {
    free: Arc<Semaphore>,
    max: u32,
    closing: watch::Sender<bool>,
}

/// Counts one socket against the quota, until it is dropped.
pub(super) struct Permit {
    _taken: OwnedSemaphorePermit,
    closing: watch::Receiver<bool>,
}

impl Quota {
    pub(super) fn new(max: usize) -> Quota {
        let max = u32::try_from(max.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let free = Arc::new(Semaphore::new(max as usize));
        Quota { free, max, closing: watch::Sender::new(false) }
    }

    /// Takes a permit. Fails if none is free.
    pub(super) fn try_acquire(&self) -> Result<Permit> {
        let full =
            format!("the {} sockets of this node; `Policy::at_most` sets the limit", self.max);
        let taken = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Error::Quota(full))?;
        self.check()?;
        Ok(self.permit(taken))
    }

    /// Waits for a permit.
    pub(super) async fn acquire(&self) -> Result<Permit> {
        let taken = Arc::clone(&self.free).acquire_owned().await;
        self.check()?;
        Ok(self.permit(taken.map_err(|_| ended())?))
    }

    /// Closes all sockets, refuses new ones, and waits until all are closed.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let _ = self.free.acquire_many(self.max).await;
    }

    fn check(&self) -> Result<()> {
        if *self.closing.borrow() { Err(ended()) } else { Ok(()) }
    }

    fn permit(&self, taken: OwnedSemaphorePermit) -> Permit {
        Permit { _taken: taken, closing: self.closing.subscribe() }
    }
}

impl Permit {
    /// Waits until the node closes its sockets, and returns the error for their users.
    pub(super) async fn closing(&mut self) -> Error {
        // If the sender is gone the node closes nothing any more, and the socket lives on.
        if self.closing.wait_for(|closing| *closing).await.is_err() {
            std::future::pending::<()>().await;
        }
        ended()
    }
}

fn ended() -> Error {
    Error::Ended("the node was shut down".into())
}
