//! The source of a stream: the object that a stream refers to, and the task that sends its values.
//!
//! It must not know what the values are. The task starts when the stream is opened. It ends after the last value, or when
//! values are no longer taken; the future that makes the values is part of it and is dropped with it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use remote_derive::{Remote, remote};
use tokio::runtime::Handle;

use super::messages::{Inbox, Source};
use super::ongoing::Ongoing;
use super::outlet::{Outlet, Step};
use super::sink::nested;
use crate::error::{Error, Result};
use crate::mutex::Mutex;
use crate::object::message::{Ended, Payload, Reply, Running};
use crate::reference::monitor::Monitor;
use crate::reference::reference::Ref;

/// The reason of the error for a stream whose receiver takes no more values.
pub(super) const NOBODY: &str = "nobody takes the values of the stream any more";
const ABANDONED: &str = "the sink of the stream was dropped before the end";

/// The object of a source. It lives as long as something refers to it.
#[derive(Remote)]
#[remote(Source, name = "remote.Offer")]
pub(super) struct Offer {
    outlet: Arc<Outlet>,
    /// Taken when the stream is opened.
    maker: Mutex<Option<Maker>>,
}

/// The maker of the values.
pub(super) enum Maker {
    /// The owner of the sink.
    Others,
    /// A future, polled only when the stream is opened. It runs as a method does, so that its panics are caught.
    Own(Running),
}

impl Maker {
    pub(super) fn of(making: impl Future<Output = Result<()>> + Send + 'static) -> Maker {
        let making = async move {
            match making.await {
                Ok(()) => Reply::Value(Payload::default()),
                Err(error) => Reply::Fault(nested(error)),
            }
        };
        Maker::Own(Running::new(Box::pin(making), None))
    }
}

impl Offer {
    pub(super) fn new(outlet: Arc<Outlet>, maker: Maker) -> Offer {
        Offer { outlet, maker: Mutex::new(Some(maker)) }
    }
}

#[remote]
impl Source for Offer {
    async fn open(&self, inbox: Ref<dyn Inbox>, values: u64, bytes: u64) -> Result<()> {
        let Ok(runtime) = Handle::try_current() else {
            return Err(Error::Refused(
                "the source of a stream needs a tokio runtime; open the stream inside one".into(),
            ));
        };
        let maker = self.maker.lock().take();
        let Some(maker) = maker else {
            return Err(Error::Refused(
                "the stream has already been opened by another receiver".into(),
            ));
        };
        self.outlet.credit(values, bytes);
        runtime.spawn(send(Arc::clone(&self.outlet), inbox, maker));
        Ok(())
    }

    async fn credit(&self, values: u64, bytes: u64) -> Result<()> {
        self.outlet.credit(values, bytes);
        Ok(())
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.outlet.close(Err(Error::Ended(NOBODY.into())));
    }
}

/// Sends the values of the outlet, to its end.
async fn send(outlet: Arc<Outlet>, inbox: Ref<dyn Inbox>, mut maker: Maker) {
    let mut monitor = Ref::monitor(&inbox);
    let mut ongoing = Ongoing::with(inbox.receiver());
    let mut closing = pin!(async {
        match &mut ongoing {
            Some(ongoing) => ongoing.closing().await,
            None => std::future::pending().await,
        }
    });
    let mut is_closing = false;
    loop {
        let step = poll_fn(|context| {
            if !is_closing && closing.as_mut().poll(context).is_ready() {
                is_closing = true;
                outlet.note_closing();
            }
            if let Maker::Own(making) = &mut maker
                && let Poll::Ready(reply) = Pin::new(making).poll(context)
            {
                outlet.end(match reply {
                    Reply::Fault(error) => Some(error),
                    Reply::Value(_) | Reply::Failure(_) => None,
                });
                maker = Maker::Others;
            }
            match (outlet.poll_step(context), &maker) {
                // The future's result may still end the stream.
                (Poll::Ready(Step::Abandoned), Maker::Own(_)) => Poll::Pending,
                (step, _) => step,
            }
        });
        let sent = match unless_ended(&mut monitor, step).await {
            Ok(Step::Values(batch)) => {
                let sent = inbox.values(batch).continuing().oneway();
                unless_ended(&mut monitor, sent).await.and_then(|sent| sent)
            }
            // Sent without watching the monitor: the reply reports if the end has arrived.
            Ok(Step::End(failure)) => return outlet.close(inbox.end(failure).continuing().await),
            Ok(Step::Abandoned) => {
                outlet.end(Some(Error::Ended(ABANDONED.into())));
                Ok(())
            }
            Ok(Step::Over) => return,
            Err(gone) => return outlet.close(Err(gone)),
        };
        if let Err(error) = sent {
            // Values are missing, so that none may follow. The inbox is notified, if it can be reached.
            outlet.close(Err(error.clone()));
            let _ = inbox.end(Some(nested(error))).continuing().await;
            return;
        }
        // A future that makes values without ever being pending must let other tasks run.
        tokio::task::coop::consume_budget().await;
    }
}

/// Returns the output of a future, or an error if the monitored object ends first.
async fn unless_ended<R>(monitor: &mut Monitor, future: impl Future<Output = R>) -> Result<R> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(ended) = Pin::new(&mut *monitor).poll(context) {
            return Poll::Ready(Err(gone(ended)));
        }
        future.as_mut().poll(context).map(Ok)
    })
    .await
}

/// Returns the error for a stream whose other end has ended.
pub(super) fn gone(ended: Ended) -> Error {
    use crate::error::Outcome;
    match ended {
        Ended::Released => Error::Ended(NOBODY.into()),
        Ended::Stopped(reason) => Error::Ended(reason),
        Ended::SessionEnded(reason) => Error::SessionLost { reason, outcome: Outcome::Unknown },
        Ended::LeaseExpired => Error::LeaseExpired,
        Ended::Restarted => Error::Stale,
    }
}
