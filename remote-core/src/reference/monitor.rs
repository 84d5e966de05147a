//! Monitors: futures that resolve when an object ends.
//!
//! A monitor must not keep the object alive.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::object::message::{Ended, Receiver};

/// A future that resolves once, when an object ends, with the reason; made by [`Ref::monitor`](crate::Ref::monitor).
///
/// It does not keep the object alive, and resolves at once if the object has ended already. Dropping it ends the watch.
/// Cancel safe: it can be polled by reference.
///
/// ```
/// # use remote_core::{Ended, Ref, Remote, Result, remote};
/// # #[remote] trait Empty {}
/// # #[derive(Remote)] #[remote(Empty)] struct Nothing;
/// # #[remote] impl Empty for Nothing {}
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<()> {
/// let object: Ref<dyn Empty> = Ref::new(Nothing);
/// let monitor = Ref::monitor(&object);
/// Ref::stop(&object, "enough")?;
/// assert_eq!(monitor.await, Ended::Stopped("enough".into()));
/// # Ok(()) }
/// ```
#[must_use = "a monitor does nothing unless it is awaited"]
pub struct Monitor {
    report: oneshot::Receiver<Ended>,
    _watching: Box<dyn Send + Sync>,
}

impl Monitor {
    pub(crate) fn new(receiver: &Arc<dyn Receiver>) -> Monitor {
        let (sender, report) = oneshot::channel();
        let watching = Arc::clone(receiver).watch(Box::new(move |ended| drop(sender.send(ended))));
        Monitor { report, _watching: watching }
    }
}

impl Future for Monitor {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        // The watcher was dropped without a report: it belonged to a session that is gone.
        let dropped = |_| Ended::SessionEnded("the session is gone".into());
        Pin::new(&mut self.report).poll(context).map(|report| report.unwrap_or_else(dropped))
    }
}
