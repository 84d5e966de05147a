//! Owns the places that a node has for sockets, and the end of all of them.
//!
//! It must not know what a socket does.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::error::{Error, Result};

/// The places of one node.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    most: u32,
    closing: watch::Sender<bool>,
}

/// A place for one socket, until it is dropped.
pub(super) struct Place {
    _taken: OwnedSemaphorePermit,
    closing: watch::Receiver<bool>,
}

impl Places {
    pub(super) fn new(most: usize) -> Places {
        let most = u32::try_from(most.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let free = Arc::new(Semaphore::new(most as usize));
        Places { free, most, closing: watch::Sender::new(false) }
    }

    /// A place, if there is one.
    pub(super) fn take(&self) -> Result<Place> {
        let full =
            format!("the {} sockets of this node; `Policy::at_most` sets how many", self.most);
        let taken = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Error::Quota(full))?;
        self.check()?;
        Ok(self.place(taken))
    }

    /// A place, when there is one.
    pub(super) async fn free(&self) -> Result<Place> {
        let taken = Arc::clone(&self.free).acquire_owned().await;
        self.check()?;
        Ok(self.place(taken.map_err(|_| ended())?))
    }

    /// Has all sockets closed, and no more made. Done when they are.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let _ = self.free.acquire_many(self.most).await;
    }

    fn check(&self) -> Result<()> {
        if *self.closing.borrow() { Err(ended()) } else { Ok(()) }
    }

    fn place(&self, taken: OwnedSemaphorePermit) -> Place {
        Place { _taken: taken, closing: self.closing.subscribe() }
    }
}

impl Place {
    /// Waits until the node closes its sockets; what they are told.
    pub(super) async fn closing(&mut self) -> Error {
        // The sender may be gone, and then nobody closes them; that is for the socket to wait out.
        if self.closing.wait_for(|closing| *closing).await.is_err() {
            std::future::pending::<()>().await;
        }
        ended()
    }
}

fn ended() -> Error {
    Error::Ended("the node was shut down".into())
}
