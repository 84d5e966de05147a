//! The count of an open stream on the route to its other end: a node that shuts down waits for the stream, within its limit.
//!
//! It must not know the values, nor which end it is for.

use std::sync::Arc;

use tokio::sync::watch;

use crate::object::message::{Receiver, Route};

/// Counts one stream on a route, until it is dropped.
pub(super) struct Ongoing {
    route: Arc<dyn Route>,
    closing: watch::Receiver<bool>,
}

impl Ongoing {
    /// Counts a stream on the route to its other end, if that is in another process.
    pub(super) fn with(other_end: &Arc<dyn Receiver>) -> Option<Ongoing> {
        let route = other_end.route()?;
        Some(Ongoing { route: Arc::clone(route), closing: route.begin_stream() })
    }

    /// Waits until the node at one of the two ends shuts down.
    pub(super) async fn closing(&mut self) {
        if self.closing.wait_for(|closing| *closing).await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.route.end_stream();
    }
}
